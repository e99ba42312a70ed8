#include "sockets.h"

static int receiver;
static void *receive_soon(void *none) {
    char buffer[10];
    sleep_ms(30);
    must(recv(receiver, buffer, 10, 0));
    return none;
}
static void tell_from(const char *what, int file) {
    char buffer[64] = {0};
    struct sockaddr_un from;
    socklen_t length = sizeof from;
    ssize_t count = recvfrom(file, buffer, 60, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    if (count < 0) return result(what, count);
    printf("%s: %zd \"%s\" ", what, count, buffer);
    tell_address("from", &from, length);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    receiver = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    int sender = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    tell_ready("new", receiver);
    result("send nowhere", send(sender, "x", 1, 0));
    result("send to nothing", send_to(sender, "receiver", "x"));
    must(bind_to(receiver, "receiver"));
    result("send", send_to(sender, "receiver", "one"));
    result("bind", bind_to(sender, "sender"));
    result("send", send_to(sender, "receiver", "second"));
    result("send nothing", send_to(sender, "receiver", ""));
    result("send", send_to(sender, "receiver", "fourth"));
    int bytes;
    must(ioctl(receiver, FIONREAD, &bytes));
    fact("FIONREAD", bytes);
    tell_from("first, before it had a name", receiver);
    tell_received("cut", receiver, 3, 0);
    tell_from("empty", receiver);
    tell_received("peek", receiver, 3, MSG_PEEK);
    tell_received("peek at the length", receiver, 3, MSG_PEEK | MSG_TRUNC);
    tell_received("length", receiver, 3, MSG_TRUNC);
    tell_from("nothing", receiver);

    // A full queue.
    must(fcntl(sender, F_SETFL, O_NONBLOCK));
    int sent = 0;
    while (send_to(sender, "receiver", "fill") > 0) sent++;
    result("full", -1);
    fact("sent", sent);
    tell_ready("not connected", sender);
    result("connect", connect_to(sender, "receiver"));
    tell_ready("connected", sender);
    tell_received("one out", receiver, 10, 0);
    tell_ready("room", sender);
    result("send", send(sender, "x", 1, 0));
    must(fcntl(sender, F_SETFL, 0));
    pthread_t thread;
    pthread_create(&thread, NULL, receive_soon, NULL);
    result("send waits", send(sender, "waited", 6, 0));
    pthread_join(thread, NULL);
    while (recv(receiver, &bytes, 4, MSG_DONTWAIT) > 0) continue;

    // Connected sockets take only their peer's.
    result("receiver connects to the sender", connect_to(receiver, "sender"));
    int stranger = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    result("a stranger sends", send_to(stranger, "receiver", "x"));
    result("a stranger connects", connect_to(stranger, "receiver"));
    result("the peer sends", send(sender, "x", 1, 0));
    tell_names("receiver", receiver);
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    result("taken back", connect(receiver, &none, sizeof none));
    tell_from("what was there is lost", receiver);
    fact("the other is told", option(sender, SO_ERROR));
    tell_names("receiver", receiver);
    result("a stranger sends", send_to(stranger, "receiver", "y"));

    // Ends.
    close(receiver);
    result("peer closed", send(sender, "x", 1, 0));
    result("then", send(sender, "x", 1, 0));
    tell_ready("sender", sender);
    result("its name stays", send_to(sender, "receiver", "x"));
    must(unlink("receiver"));
    receiver = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    must(bind_to(receiver, "receiver"));
    shutdown(receiver, SHUT_RD);
    result("to who does not read", send_to(sender, "receiver", "x"));
    tell_received("who does not read", receiver, 10, 0);
    tell_received("who does not wait", receiver, 10, MSG_DONTWAIT);
    tell_ready("who does not read", receiver);
    shutdown(sender, SHUT_WR);
    result("who does not write", send_to(sender, "receiver", "x"));

    // Sizes.
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    static char large[300000];
    result("too large", send(ends[0], large, sizeof large, 0));
    result("large", send(ends[0], large, 200000, 0));
    result("large", recv(ends[1], large, sizeof large, 0));
    must(set_option(ends[0], SO_SNDBUF, 4000));
    result("larger than the buffer", send(ends[0], large, 8000, 0));
    result("nearly as large", send(ends[0], large, 7968, 0));
    result("the buffer is full", send(ends[0], large, 1, MSG_DONTWAIT));
    tell_ready("full", ends[0]);
    result("out", recv(ends[1], large, 10, 0));
    tell_ready("empty", ends[0]);
    result("a pair has no bound of messages", ({ int count = 0; while (count < 4 && send(ends[0], "x", 1, MSG_DONTWAIT) == 1) count++; count; }));
    result("to itself", (stranger = must(socket(AF_UNIX, SOCK_DGRAM, 0)), must(bind_to(stranger, "self")), connect_to(stranger, "self")));
    result("to itself", send(stranger, "me", 2, 0));
    tell_from("from itself", stranger);
    close(ends[1]);
    result("pair's end closed", send(ends[0], "x", 1, 0));
    tell_ready("pair's end closed", ends[0]);
}
