#include "facts.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static void events(const char *name, int file) {
    struct pollfd entry = {file, -1, 0};
    must(poll(&entry, 1, 0));
    tell(name, "%#x", (unsigned)entry.revents);
}

static int watch(int epoll, int operation, int file, unsigned what) {
    struct epoll_event event = {.events = what};
    return epoll_ctl(epoll, operation, file, &event);
}

int main(void) {
    int counter = must(eventfd(0, 0));
    events("eventfd of zero", counter);
    must(eventfd_write(counter, 5));
    events("eventfd", counter);
    must(eventfd_write(counter, 0xfffffffffffffff9));
    events("a full one", counter);
    struct itimerspec soon = {.it_value = {0, 1}};
    int timer = must(timerfd_create(CLOCK_MONOTONIC, 0));
    events("timerfd", timer);
    must(timerfd_settime(timer, 0, &soon, NULL));
    sleep_ms(5);
    events("when it is over", timer);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = must(signalfd(-1, &set, 0));
    events("signalfd", signals);
    kill(getpid(), SIGUSR1);
    events("with a signal", signals);

    int epoll = must(epoll_create1(0));
    events("epoll", epoll);
    must(watch(epoll, EPOLL_CTL_ADD, timer, EPOLLIN));
    events("with news", epoll);
    result("changing to exclusive what is not watched",
        watch(epoll, EPOLL_CTL_MOD, counter, EPOLLIN | EPOLLEXCLUSIVE));
    result("what is watched", watch(epoll, EPOLL_CTL_MOD, timer, EPOLLIN | EPOLLEXCLUSIVE));
    int depth = 0;
    for (int inner = epoll;; depth++) {
        int outer = must(epoll_create1(0));
        if (watch(outer, EPOLL_CTL_ADD, inner, EPOLLIN) < 0) break;
        inner = outer;
    }
    tell("above one another", "%d, then %s", depth, error_name(errno));

    int path = must(open(".", O_PATH));
    fd_set reading, writing;
    FD_ZERO(&reading);
    FD_ZERO(&writing);
    FD_SET(path, &reading);
    FD_SET(path, &writing);
    struct timeval no = {0, 0};
    result("select of a path alone", select(path + 1, &reading, &writing, NULL, &no));
    events("poll of it", path);
}
