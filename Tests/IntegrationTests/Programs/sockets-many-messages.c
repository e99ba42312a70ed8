#include "sockets.h"

static void *send_slowly(void *end) {
    for (int each = 0; each < 3; each++) sleep_ms(15), must(send(*(int *)end, "slow", 4, 0));
    return NULL;
}

int main(void) {
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    char texts[8][20] = {"one", "two", "three", "four"};
    struct iovec places[8];
    struct mmsghdr messages[8] = {0};
    for (int each = 0; each < 8; each++) {
        places[each] = (struct iovec){texts[each], strlen(texts[each])};
        messages[each].msg_hdr.msg_iov = &places[each], messages[each].msg_hdr.msg_iovlen = 1;
    }
    result("send four", sendmmsg(ends[0], messages, 4, 0));
    for (int each = 0; each < 4; each++) fact("length", messages[each].msg_len);
    memset(texts, 0, sizeof texts);
    for (int each = 0; each < 8; each++) places[each].iov_len = 4;
    result("receive three", recvmmsg(ends[1], messages, 3, 0, NULL));
    for (int each = 0; each < 3; each++) tell("message", "%s %d %x", texts[each], messages[each].msg_len, messages[each].msg_hdr.msg_flags);
    result("receive the last", recvmmsg(ends[1], messages, 8, MSG_DONTWAIT, NULL));
    tell("message", "%s", texts[0]);
    result("receive nothing", recvmmsg(ends[1], messages, 8, MSG_DONTWAIT, NULL));
    result("none", recvmmsg(ends[1], messages, 0, MSG_DONTWAIT, NULL));
    send(ends[0], "a", 1, 0), send(ends[0], "b", 1, 0);
    result("wait for one", recvmmsg(ends[1], messages, 8, MSG_WAITFORONE, NULL));
    pthread_t thread;
    pthread_create(&thread, NULL, send_slowly, &ends[0]);
    result("wait for three", recvmmsg(ends[1], messages, 3, 0, NULL));
    pthread_join(thread, NULL);
    struct timespec time = {0, 25000000};
    pthread_create(&thread, NULL, send_slowly, &ends[0]);
    int count = recvmmsg(ends[1], messages, 3, 0, &time);
    fact("not all in time", count < 3 && count > 0);
    pthread_join(thread, NULL);
    time = (struct timespec){0, -1};
    result("wrong time", recvmmsg(ends[1], messages, 3, 0, &time));
    result("wrong time of what is not open", recvmmsg(99, messages, 3, 0, &time));
    messages[1].msg_hdr.msg_iov = (void *)8;
    while (recv(ends[1], texts[0], 10, MSG_DONTWAIT) > 0) continue;
    result("the second fails", sendmmsg(ends[0], messages, 3, 0));
    send(ends[0], "c", 1, 0);
    result("the second fails", recvmmsg(ends[1], messages, 3, 0, NULL));
    fact("told later", option(ends[1], SO_ERROR));
    result("the first fails", sendmmsg(ends[0], messages + 1, 2, 0));
    result("nowhere", recvmmsg(ends[1], (void *)8, 1, MSG_DONTWAIT, NULL));
    result("nowhere", sendmmsg(ends[0], (void *)8, 1, 0));
}
