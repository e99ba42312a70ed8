#include "sockets.h"

static int ends[2];

static void *write_slowly(void *text) {
    for (char *each = text; *each; each++) sleep_ms(10), must(write(ends[0], each, 1));
    return NULL;
}
static void *close_soon(void *none) {
    sleep_ms(30);
    close(ends[0]);
    return none;
}
static void *shut_soon(void *how) {
    sleep_ms(30);
    shutdown(ends[0], (long)how);
    return NULL;
}
static void *drain(void *none) {
    static char buffer[5000];
    long sum = 0, count;
    while ((count = read(ends[1], buffer, sizeof buffer)) > 0) sum += count;
    return (void *)sum;
}

int main(void) {
    pthread_t thread;
    signal(SIGPIPE, SIG_IGN);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pthread_create(&thread, NULL, write_slowly, "abcdef");
    tell_received("all at once", ends[1], 6, MSG_WAITALL);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, write_slowly, "abc");
    tell_received("the first", ends[1], 6, 0);
    pthread_join(thread, NULL);
    tell_received("the others", ends[1], 6, 0);

    fact("least to wait for", option(ends[1], SO_RCVLOWAT));
    result("set it", set_option(ends[1], SO_RCVLOWAT, 4));
    pthread_create(&thread, NULL, write_slowly, "wxyz");
    tell_received("four at least", ends[1], 10, 0);
    pthread_join(thread, NULL);
    write(ends[0], "no", 2);
    tell_received("fewer without waiting", ends[1], 10, MSG_DONTWAIT);
    result("set it back", set_option(ends[1], SO_RCVLOWAT, 0));
    fact("least to wait for", option(ends[1], SO_RCVLOWAT));

    // A time-out.
    struct timeval tenth = {0, 40000}, got;
    socklen_t length = sizeof got;
    result("time-out", setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &tenth, sizeof tenth));
    must(getsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &got, &length));
    tell("time-out", "%ld %ld", (long)got.tv_sec, (long)got.tv_usec);
    tell_received("timed out", ends[1], 10, 0);
    write(ends[0], "ab", 2);
    tell_received("timed out with some", ends[1], 10, MSG_WAITALL);
    char byte;
    result("timed out in read", read(ends[1], &byte, 1));
    tenth.tv_usec = 1000000;
    result("a second of microseconds", setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &tenth, sizeof tenth));
    tenth.tv_usec = 0;
    must(setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &tenth, sizeof tenth));
    tenth.tv_usec = 40000;
    must(setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &tenth, sizeof tenth));
    static char large[1000000];
    long sent = send(ends[0], large, sizeof large, 0);
    fact("a part in time", sent > 100000 && sent < 400000);
    result("nothing in time", send(ends[0], large, sizeof large, 0));
    shutdown(ends[0], SHUT_WR);
    pthread_create(&thread, NULL, drain, NULL);
    void *sum;
    pthread_join(thread, &sum);
    fact("what was sent arrived", (long)sum == sent);

    // A large write waits for the reader.
    close(ends[0]), close(ends[1]);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pthread_create(&thread, NULL, drain, NULL);
    result("a large write", write(ends[0], large, sizeof large));
    shutdown(ends[0], SHUT_WR);
    pthread_join(thread, &sum);
    fact("arrived", (long)sum);

    // Ends that come while one waits.
    close(ends[0]), close(ends[1]);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pthread_create(&thread, NULL, close_soon, NULL);
    tell_received("closed meanwhile", ends[1], 10, 0);
    pthread_join(thread, NULL);
    close(ends[1]);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pthread_create(&thread, NULL, shut_soon, (void *)SHUT_WR);
    tell_received("shut meanwhile", ends[1], 10, 0);
    pthread_join(thread, NULL);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    while (send(ends[1], large, 1000, MSG_DONTWAIT) > 0) continue;
    pthread_create(&thread, NULL, close_soon, NULL);
    result("write to who closes meanwhile", write(ends[1], large, 1000));
    pthread_join(thread, NULL);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pthread_create(&thread, NULL, shut_soon, (void *)SHUT_RD);
    tell_received("own shutdown wakes", ends[0], 10, 0);
    pthread_join(thread, NULL);

    // SO_PEEK_OFF
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    fact("peek offset", option(ends[1], SO_PEEK_OFF));
    write(ends[0], "abc", 3), write(ends[0], "defg", 4);
    result("peek from the start", set_option(ends[1], SO_PEEK_OFF, 0));
    tell_received("peek", ends[1], 2, MSG_PEEK);
    tell_received("peek", ends[1], 2, MSG_PEEK);
    fact("peek offset", option(ends[1], SO_PEEK_OFF));
    tell_received("read", ends[1], 3, 0);
    fact("peek offset", option(ends[1], SO_PEEK_OFF));
    tell_received("peek", ends[1], 10, MSG_PEEK);
    tell_received("peek beyond", ends[1], 10, MSG_PEEK | MSG_DONTWAIT);
    tell_received("read", ends[1], 10, 0);
    fact("peek offset", option(ends[1], SO_PEEK_OFF));
}
