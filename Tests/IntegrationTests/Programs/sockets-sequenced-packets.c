#include "sockets.h"

static void tell_message(const char *what, int file, size_t size) {
    char buffer[64] = {0};
    struct iovec place = {buffer, size};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
    ssize_t count = recvmsg(file, &message, MSG_DONTWAIT);
    if (count < 0) return result(what, count);
    tell(what, "%zd \"%.*s\" flags %x", count, (int)count, buffer, message.msg_flags);
}

int main(void) {
    int signals = 0;
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    tell_ready("new", ends[0]);
    result("send", send(ends[0], "first", 5, 0));
    result("send with an end of record", send(ends[0], "second", 6, MSG_EOR));
    result("send nothing", send(ends[0], "", 0, 0));
    result("write", write(ends[0], "fourth", 6));
    int bytes;
    must(ioctl(ends[1], FIONREAD, &bytes));
    fact("FIONREAD", bytes);
    tell_message("first", ends[1], 20);
    tell_message("second, cut", ends[1], 3);
    tell_message("nothing", ends[1], 20);
    char buffer[20];
    result("read", read(ends[1], buffer, 3));
    tell_message("no more", ends[1], 20);
    result("an address does not count", send_to(ends[0], "nowhere", "x"));
    tell_message("it came", ends[1], 20);
    shutdown(ends[0], SHUT_WR);
    tell_message("shut", ends[1], 20);
    result("send after shutdown", send(ends[0], "x", 1, 0));
    tell_ready("shut", ends[1]);
    write(ends[1], "unread", 6);
    close(ends[0]);
    tell_ready("peer lost a packet", ends[1]);
    tell_message("reset", ends[1], 20);
    tell_message("then", ends[1], 20);
    result("send then", send(ends[1], "x", 1, 0));
    int lone = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    result("unconnected send", send(lone, "x", 1, 0));
    tell_message("unconnected receive", lone, 10);
    tell_ready("unconnected", lone);
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    fact("type", option(ends[0], SO_TYPE));
    (void)signals;
}
