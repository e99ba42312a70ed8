#include "sockets.h"
#include <sys/epoll.h>

static int epoll;
static void tell_events(const char *what) {
    struct epoll_event events[8];
    int count = epoll_wait(epoll, events, 8, 0);
    printf("%s: %d", what, count);
    for (int each = 0; each < count; each++) {
        unsigned found = events[each].events;
        printf(" [%d%s%s%s%s%s]", (int)events[each].data.u32, found & EPOLLIN ? " IN" : "", found & EPOLLOUT ? " OUT" : "",
            found & EPOLLRDHUP ? " RDHUP" : "", found & EPOLLHUP ? " HUP" : "", found & EPOLLERR ? " ERR" : "");
    }
    printf("\n");
}
static void watch(int file, unsigned events, int number) {
    struct epoll_event event = {.events = events, .data.u32 = number};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event));
}
static void of_type(int type) {
    int ends[2];
    epoll = must(epoll_create1(0));
    must(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends));
    watch(ends[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, 0);
    watch(ends[1], EPOLLIN | EPOLLRDHUP, 1);
    tell_events("first");
    tell_events("no edge");
    write(ends[1], "x", 1);
    tell_events("an edge");
    tell_events("no edge");
    write(ends[1], "y", 1);
    tell_events("another");
    char buffer[4096];
    read(ends[0], buffer, 1);
    tell_events("after a read of one");
    read(ends[0], buffer, 1);
    tell_events("after a read of all");
    write(ends[0], "zz", 2);
    tell_events("level");
    tell_events("level");
    read(ends[1], buffer, 10);
    tell_events("read by the other");
    while (write(ends[0], buffer, sizeof buffer) > 0) continue;
    tell_events("full");
    read(ends[1], buffer, sizeof buffer);
    tell_events("little room");
    while (read(ends[1], buffer, sizeof buffer) > 0) continue;
    tell_events("much room");
    shutdown(ends[0], SHUT_WR);
    tell_events("shut for writing");
    shutdown(ends[1], SHUT_WR);
    tell_events("both");
    close(ends[1]);
    tell_events("closed");
    close(ends[0]);
    tell_events("gone");
    close(epoll);
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    printf("stream\n");
    of_type(SOCK_STREAM);
    printf("packets\n");
    of_type(SOCK_SEQPACKET);
    printf("datagrams\n");
    of_type(SOCK_DGRAM);

    epoll = must(epoll_create1(0));
    int listener = listen_at(SOCK_STREAM, "listener", 5);
    watch(listener, EPOLLIN | EPOLLOUT | EPOLLET, 7);
    int alone = must(socket(AF_UNIX, SOCK_STREAM, 0));
    watch(alone, EPOLLIN | EPOLLOUT | EPOLLRDHUP, 8);
    tell_events("nobody");
    int client = connected_to(SOCK_STREAM, "listener");
    tell_events("one");
    must(connect_to(alone, "listener"));
    tell_events("two");
    accept(listener, NULL, NULL);
    tell_events("one taken");
    close(listener);
    tell_events("listener closed");
    close(client);
}
