#include "sockets.h"

static int ends[2];
static volatile int signals;
static void count_signal(int number) { signals++; }

static void renew(void) {
    close(ends[0]), close(ends[1]);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

int main(void) {
    signal(SIGPIPE, count_signal);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    fact("closes on exec", fcntl(ends[0], F_GETFD));
    fact("flags", fcntl(ends[0], F_GETFL));
    tell_ready("new", ends[0]);
    tell_names("pair", ends[0]);

    result("write", write(ends[0], "hello", 5));
    result("write", write(ends[0], " world", 6));
    int bytes = -1;
    result("FIONREAD", ioctl(ends[1], FIONREAD, &bytes));
    fact("bytes", bytes);
    ioctl(ends[0], TIOCOUTQ, &bytes);
    fact("queued", bytes);
    tell_ready("with bytes", ends[1]);
    tell_received("peek", ends[1], 100, MSG_PEEK);
    tell_received("part", ends[1], 3, 0);
    tell_received("over the bound", ends[1], 5, 0);
    tell_received("rest", ends[1], 100, 0);
    tell_received("nothing", ends[1], 100, MSG_DONTWAIT);
    result("read of nothing at all", read(ends[1], NULL, 0));
    result("write of nothing at all", write(ends[1], NULL, 0));
    ioctl(ends[0], TIOCOUTQ, &bytes);
    fact("queued", bytes);

    struct iovec parts[3] = {{"ab", 2}, {"", 0}, {"cde", 3}};
    result("writev", writev(ends[1], parts, 3));
    char one[2], two[10] = {0};
    struct iovec places[2] = {{one, 2}, {two, 9}};
    result("readv", readv(ends[0], places, 2));
    tell("places", "%.2s %s", one, two);
    result("pread", pread(ends[0], one, 1, 0));
    result("lseek", lseek(ends[0], 0, SEEK_SET));

    struct stat status;
    must(fstat(ends[0], &status));
    tell("status", "%o %ld %ld", status.st_mode, (long)status.st_nlink, (long)status.st_size);
    char path[64], link[64] = {0};
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    must(readlink(path, link, sizeof link - 1));
    char expected[64];
    snprintf(expected, sizeof expected, "socket:[%lu]", (unsigned long)status.st_ino);
    fact("link tells the inode", strcmp(link, expected) == 0);
    result("open of the link", open(path, O_RDWR));

    // Shutting one direction.
    result("shutdown of writing", shutdown(ends[0], SHUT_WR));
    tell_ready("its own end", ends[0]);
    tell_ready("the other end", ends[1]);
    tell_received("end of the stream", ends[1], 10, 0);
    result("write after shutdown", write(ends[0], "x", 1));
    result("send after shutdown", send(ends[0], "x", 1, MSG_NOSIGNAL));
    fact("signals", signals);
    result("the other direction", write(ends[1], "back", 4));
    tell_received("the other direction", ends[0], 10, 0);
    result("shutdown of reading", shutdown(ends[0], SHUT_RD));
    tell_ready("its own end", ends[0]);
    tell_ready("the other end", ends[1]);
    result("write to who does not read", write(ends[1], "x", 1));
    fact("signals", signals);
    result("shutdown of what", shutdown(ends[0], 3));
    renew();
    write(ends[0], "left", 4);
    result("shutdown of reading", shutdown(ends[1], SHUT_RD));
    tell_received("what was there before", ends[1], 10, 0);
    tell_received("then", ends[1], 10, 0);

    // Closing an end.
    renew();
    write(ends[0], "last words", 10);
    close(ends[0]);
    tell_ready("peer closed", ends[1]);
    tell_received("last words", ends[1], 4, 0);
    tell_received("last words", ends[1], 40, 0);
    tell_received("then", ends[1], 40, 0);
    signals = 0;
    result("write", write(ends[1], "x", 1));
    fact("signals", signals);
    fact("error", option(ends[1], SO_ERROR));
    renew();
    write(ends[0], "unread", 6);
    close(ends[1]);
    tell_ready("peer lost bytes", ends[0]);
    tell_received("reset", ends[0], 10, 0);
    tell_received("then", ends[0], 10, 0);
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    write(ends[0], "unread", 6);
    close(ends[1]);
    fact("error", option(ends[0], SO_ERROR));
    fact("error", option(ends[0], SO_ERROR));

    // Filling.
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends));
    char large[4096];
    memset(large, 'x', sizeof large);
    long sent = 0, count;
    while ((count = write(ends[0], large, sizeof large)) > 0) sent += count;
    result("full", count);
    fact("fits", sent > 100000 && sent < 300000);
    tell_ready("full", ends[0]);
    long received = 0;
    while (received < 4096) received += read(ends[1], large, sizeof large);
    tell_ready("little was read", ends[0]);
    while ((count = read(ends[1], large, sizeof large)) > 0) received += count;
    fact("all arrived", received == sent);
    tell_ready("all was read", ends[0]);

    // Flags.
    result("out of band", recv(ends[1], large, 1, MSG_OOB) < 0 ? -2 : 0);
    result("send with an address", send_to(ends[0], "nowhere", "x"));
    result("unconnected read", read(must(socket(AF_UNIX, SOCK_STREAM, 0)), large, 1));
    int lone = must(socket(AF_UNIX, SOCK_STREAM, 0));
    tell_ready("unconnected", lone);
    result("unconnected write", write(lone, "x", 1));
    result("unconnected send to", send_to(lone, "nowhere", "x"));
    result("unconnected shutdown", shutdown(lone, SHUT_RDWR));
}
