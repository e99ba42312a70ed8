#include "ring.h"
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

static struct ring r;
static char buffer[256], other[256];
static int ends[2];

// The same CQE may come earlier or later than others: those that are sorted are shown by number.
static void show_sorted(const char *name, int count) {
    struct { unsigned long long data; int res; unsigned flags; } found[16];
    int have = 0;
    struct io_uring_cqe *c;
    while (have < count && (c = ring_peek(&r))) {
        int at = have++;
        while (at > 0 && found[at - 1].data > c->user_data) found[at] = found[at - 1], at--;
        found[at].data = c->user_data, found[at].res = c->res, found[at].flags = c->flags;
        ++*r.cq_head;
    }
    for (int each = 0; each < have; each++)
        tell(name, "%llu %s%d%s", found[each].data, found[each].res < 0 ? "-" : "", abs(found[each].res),
            found[each].flags & IORING_CQE_F_MORE ? " more" : "");
}

static void *write_later(void *text) {
    sleep_ms(20);
    must(write(ends[1], text, strlen(text)));
    return NULL;
}

static void pipes(void) {
    pthread_t thread;
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 1);
    result("submit", ring_go(&r, 0)), ring_show(&r, "nothing yet");
    must(write(ends[1], "own", 3)), ring_show(&r, "own write");
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 2);
    pthread_create(&thread, NULL, write_later, "later");
    ring_wait(&r, "waited", 1), tell("bytes", "%.5s", buffer), pthread_join(thread, NULL);
    // The submitter waits in another call, or computes, when its request completes.
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 3), ring_go(&r, 0);
    pthread_create(&thread, NULL, write_later, "joined");
    pthread_join(thread, NULL), ring_show(&r, "in another call");
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 4), ring_go(&r, 0);
    pthread_create(&thread, NULL, write_later, "computing");
    while (!ring_peek(&r)) __asm__ volatile("pause");
    ring_show(&r, "computing"), pthread_join(thread, NULL);
    // A non-blocking pipe waits too, and RWF_NOWAIT does not.
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 5), ring_go(&r, 0);
    ring_show(&r, "non-blocking"), must(write(ends[1], "x", 1)), ring_show(&r, "written");
    fcntl(ends[0], F_SETFL, 0);
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 6)->rw_flags = RWF_NOWAIT;
    ring_wait(&r, "no waiting", 1);
    // Both in one: what is written is what the read waits for.
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, 0, 7);
    ring_bytes(&r, IORING_OP_WRITE, ends[1], "both", 4, 0, 8);
    ring_go(&r, 2), show_sorted("both", 2);
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 9)->flags = IOSQE_ASYNC;
    ring_go(&r, 0), must(write(ends[1], "async", 5));
    ring_wait(&r, "async", 1);
    // The end.
    int pair[2];
    must(pipe(pair)), close(pair[1]);
    ring_bytes(&r, IORING_OP_READ, pair[0], buffer, 10, -1, 10), ring_wait(&r, "end", 1);
    must(pipe(pair)), close(pair[0]);
    signal(SIGPIPE, SIG_IGN);
    ring_bytes(&r, IORING_OP_WRITE, pair[1], buffer, 10, -1, 11), ring_wait(&r, "broken", 1);
    // A full pipe.
    must(pipe(pair)), fcntl(pair[1], F_SETFL, O_NONBLOCK);
    while (write(pair[1], buffer, 256) > 0) continue;
    ring_bytes(&r, IORING_OP_WRITE, pair[1], buffer, 100, -1, 12), ring_go(&r, 0), ring_show(&r, "full");
    for (int each = 0; each < 16; each++) must(read(pair[0], other, 256));
    ring_show(&r, "room");
    int event = eventfd(0, 0);
    ring_bytes(&r, IORING_OP_READ, event, other, 8, 0, 13), ring_go(&r, 0), ring_show(&r, "event");
    eventfd_write(event, 5), ring_show(&r, "event"), fact("value", *(long *)other);
}

static struct io_uring_sqe *poll_add(int fd, unsigned events, uint64_t data) {
    struct io_uring_sqe *e = ring_next(&r, IORING_OP_POLL_ADD, fd, data);
    e->poll32_events = events;
    return e;
}

static void polls(void) {
    poll_add(ends[1], POLLOUT, 1), ring_wait(&r, "ready", 1);
    poll_add(ends[0], POLLIN, 2), ring_go(&r, 0), ring_show(&r, "not ready");
    must(write(ends[1], "x", 1)), ring_show(&r, "ready now");
    read(ends[0], buffer, 1);
    poll_add(ends[0], POLLIN, 3), ring_go(&r, 0);
    struct io_uring_sqe *e = ring_next(&r, IORING_OP_POLL_REMOVE, -1, 4);
    e->addr = 3, ring_go(&r, 2), show_sorted("removed", 2);
    e = ring_next(&r, IORING_OP_POLL_REMOVE, -1, 5), e->addr = 3, ring_wait(&r, "nothing to remove", 1);
    poll_add(ends[0], POLLIN, 6)->len = IORING_POLL_ADD_MULTI, ring_go(&r, 0), ring_show(&r, "multishot");
    for (int each = 0; each < 3; each++) {
        must(write(ends[1], "x", 1)), ring_show(&r, "again");
        read(ends[0], buffer, 1), ring_show(&r, "emptied");
    }
    e = ring_next(&r, IORING_OP_POLL_REMOVE, -1, 7), e->addr = 6, ring_go(&r, 2), show_sorted("multishot ends", 2);
    must(write(ends[1], "x", 1));
    poll_add(ends[0], POLLIN, 8)->len = IORING_POLL_ADD_MULTI, ring_wait(&r, "ready multishot", 1);
    read(ends[0], buffer, 1);
    // An update of what is waited for, and of the number.
    e = ring_next(&r, IORING_OP_POLL_REMOVE, -1, 9), e->addr = 8, e->off = 80;
    e->len = IORING_POLL_UPDATE_USER_DATA, ring_wait(&r, "new number", 1);
    must(write(ends[1], "x", 1)), ring_show(&r, "by its new number"), read(ends[0], buffer, 1);
    e = ring_next(&r, IORING_OP_POLL_REMOVE, -1, 10), e->addr = 80, ring_go(&r, 2), show_sorted("gone", 2);
    poll_add(ends[0], POLLIN, 11)->len = 64, ring_wait(&r, "flag", 1);
    poll_add(ends[0], POLLIN, 12)->addr = 64, ring_wait(&r, "address", 1);
    int pair[2];
    must(pipe(pair)), poll_add(pair[0], POLLIN, 13), ring_go(&r, 0);
    close(pair[1]), ring_show(&r, "hung up");
    int file = must(open("/", O_RDONLY));
    poll_add(file, POLLIN, 14), ring_wait(&r, "folder", 1);
}

static void cancels(void) {
    struct io_uring_sqe *e;
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 1), ring_go(&r, 0);
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, -1, 2), e->addr = 1, ring_go(&r, 2), show_sorted("cancel", 2);
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, -1, 3), e->addr = 1, ring_wait(&r, "nothing", 1);
    for (int each = 4; each < 7; each++) ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, each);
    ring_go(&r, 0);
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, ends[0], 7);
    e->cancel_flags = IORING_ASYNC_CANCEL_FD | IORING_ASYNC_CANCEL_ALL, ring_go(&r, 4), show_sorted("by file", 4);
    poll_add(ends[0], POLLIN, 8), ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 9), ring_go(&r, 0);
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, -1, 10), e->cancel_flags = IORING_ASYNC_CANCEL_ANY;
    ring_go(&r, 3), show_sorted("any", 3);
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, -1, 11), e->cancel_flags = IORING_ASYNC_CANCEL_ANY;
    ring_wait(&r, "none of any", 1);
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, 77, 12), e->cancel_flags = IORING_ASYNC_CANCEL_FD;
    ring_wait(&r, "of what is not open", 1);
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, 0, 13), e->cancel_flags = 1 << 12, ring_wait(&r, "flag", 1);
    // Closing the file does not end what waits for it: a write does.
    int pair[2], copy;
    must(pipe(pair)), copy = must(dup(pair[0]));
    ring_bytes(&r, IORING_OP_READ, pair[0], buffer, 10, -1, 14), ring_go(&r, 0), close(pair[0]);
    ring_show(&r, "closed meanwhile"), must(write(pair[1], "abc", 3)), ring_show(&r, "written"), close(copy);
}

static void observed(void) {
    struct pollfd entry = {r.fd, POLLIN, 0};
    int epoll = must(epoll_create1(0)), event = must(eventfd(0, EFD_NONBLOCK));
    struct epoll_event news = {EPOLLIN, {0}};
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, r.fd, &news));
    pthread_t thread;
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 1), ring_go(&r, 0);
    pthread_create(&thread, NULL, write_later, "poll");
    result("poll", poll(&entry, 1, 2000)), tell("events", "%x", entry.revents);
    ring_show(&r, "polled"), pthread_join(thread, NULL);
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 2), ring_go(&r, 0);
    pthread_create(&thread, NULL, write_later, "epoll");
    // Linux may interrupt the thread whose request it goes on with.
    while (epoll_wait(epoll, &news, 1, 2000) == -1 && errno == EINTR) continue;
    ring_show(&r, "by epoll"), pthread_join(thread, NULL);
    result("event", ring_register(r.fd, IORING_REGISTER_EVENTFD, &event, 1));
    result("again", ring_register(r.fd, IORING_REGISTER_EVENTFD, &event, 1));
    eventfd_t value;
    for (int each = 0; each < 3; each++) ring_next(&r, IORING_OP_NOP, -1, each);
    ring_go(&r, 3), ring_show(&r, "three"), result("events", eventfd_read(event, &value)), fact("value", value);
    *r.cq_flags |= IORING_CQ_EVENTFD_DISABLED, ring_next(&r, IORING_OP_NOP, -1, 4), ring_wait(&r, "silent", 1);
    result("events", eventfd_read(event, &value)), *r.cq_flags = 0;
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 5), ring_go(&r, 0);
    result("none yet", eventfd_read(event, &value)), must(write(ends[1], "z", 1));
    result("one", eventfd_read(event, &value)), ring_show(&r, "told");
    result("no event", ring_register(r.fd, IORING_UNREGISTER_EVENTFD, NULL, 0));
    result("no event again", ring_register(r.fd, IORING_UNREGISTER_EVENTFD, NULL, 0));
    result("of a pipe", ring_register(r.fd, IORING_REGISTER_EVENTFD, &ends[0], 1));
    int none = 77;
    result("of nothing", ring_register(r.fd, IORING_REGISTER_EVENTFD, &none, 1));
    // A ring that waits for another one.
    struct ring inner = ring_make(4, 0, 0);
    poll_add(inner.fd, POLLIN, 6), ring_go(&r, 0), ring_show(&r, "inner");
    ring_next(&inner, IORING_OP_NOP, -1, 1), ring_go(&inner, 0), ring_show(&r, "inner");
}

static int handled;
static void handle(int number, siginfo_t *information, void *context) {
    (void)number, (void)information, (void)context;
    handled++;
}

static void interrupted(void) {
    install(SIGUSR1, handle, SA_RESTART);
    sigset_t set, none;
    sigemptyset(&none), sigemptyset(&set), sigaddset(&set, SIGUSR1);
    struct sigevent how = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec soon = {{0, 0}, {0, 20000000}};
    timer_t timer;
    must(timer_create(CLOCK_MONOTONIC, &how, &timer)), must(timer_settime(timer, 0, &soon, NULL));
    result("interrupted", ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0)), fact("handled", handled);
    sigprocmask(SIG_BLOCK, &set, NULL), raise(SIGUSR1), fact("blocked", handled);
    result("with a mask", ring_enter(r.fd, 0, 1, IORING_ENTER_GETEVENTS, &none, 8)), fact("handled", handled);
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now), fact("mask is back", sigismember(&now, SIGUSR1));
    ring_next(&r, IORING_OP_NOP, -1, 1), raise(SIGUSR1), r.prepared = 0, ++*r.sq_tail;
    result("submitted", ring_enter(r.fd, 1, 2, IORING_ENTER_GETEVENTS, &none, 8)), fact("handled", handled);
    ring_show(&r, "submitted");
}

int main(void) {
    r = ring_make(16, 0, 0);
    must(pipe(ends));
    pipes();
    polls();
    cancels();
    observed();
    interrupted();
    // Requests that are left, in a process that ends, and in one that is forked.
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 1), ring_go(&r, 0);
    pid_t child = fork();
    if (child == 0) {
        struct ring own = ring_make(4, 0, 0);
        int pair[2];
        must(pipe(pair));
        ring_bytes(&own, IORING_OP_READ, pair[0], buffer, 10, -1, 5), ring_go(&own, 0);
        must(write(pair[1], "child", 5)), ring_show(&own, "child's ring");
        ring_bytes(&own, IORING_OP_READ, pair[0], buffer, 10, -1, 6), ring_go(&own, 0);
        // The parent's ring, whose completions the child sees.
        must(write(ends[1], "parent", 6));
        _exit(0);
    }
    waitpid(child, NULL, 0), ring_show(&r, "after the child"), tell("bytes", "%.6s", buffer);
    ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 10, -1, 1), ring_go(&r, 0);
    return 0;
}
