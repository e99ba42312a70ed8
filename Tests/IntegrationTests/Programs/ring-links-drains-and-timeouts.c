#include "ring.h"
#include <poll.h>

#define TIMEOUT_MULTISHOT (1U << 6)

static struct ring r;
static char buffer[64];
static int ends[2];

static struct io_uring_sqe *nop(uint64_t data, unsigned flags) {
    struct io_uring_sqe *e = ring_next(&r, IORING_OP_NOP, -1, data);
    e->flags = flags;
    return e;
}
static struct io_uring_sqe *bad(uint64_t data, unsigned flags) {
    struct io_uring_sqe *e = ring_bytes(&r, IORING_OP_READ, 77, buffer, 4, 0, data);
    e->flags = flags;
    return e;
}
static struct io_uring_sqe *from_pipe(uint64_t data, unsigned flags) {
    struct io_uring_sqe *e = ring_bytes(&r, IORING_OP_READ, ends[0], buffer, 4, -1, data);
    e->flags = flags;
    return e;
}
static struct __kernel_timespec times[8];
static struct io_uring_sqe *timeout(uint64_t data, long milliseconds, unsigned count, unsigned flags) {
    struct __kernel_timespec *time = &times[data % 8];
    time->tv_sec = milliseconds / 1000, time->tv_nsec = milliseconds % 1000 * 1000000;
    struct io_uring_sqe *e = ring_bytes(&r, IORING_OP_TIMEOUT, -1, time, 1, count, data);
    e->timeout_flags = flags;
    return e;
}
static struct io_uring_sqe *link_timeout(uint64_t data, long milliseconds) {
    struct io_uring_sqe *e = timeout(data, milliseconds, 0, 0);
    e->opcode = IORING_OP_LINK_TIMEOUT;
    return e;
}

static void links(void) {
    nop(1, IOSQE_IO_LINK), nop(2, IOSQE_IO_LINK), nop(3, 0), nop(4, 0), ring_wait(&r, "link", 4);
    nop(1, IOSQE_IO_LINK), bad(2, IOSQE_IO_LINK), nop(3, IOSQE_IO_LINK), nop(4, 0), nop(5, 0);
    ring_wait(&r, "broken", 5);
    nop(1, IOSQE_IO_LINK), bad(2, IOSQE_IO_HARDLINK), nop(3, IOSQE_IO_HARDLINK), nop(4, 0);
    ring_wait(&r, "hard", 4);
    nop(1, IOSQE_IO_LINK), nop(2, IOSQE_IO_LINK)->ioprio = 1, nop(3, 0), ring_wait(&r, "not sound", 3);
    nop(1, IOSQE_IO_LINK)->ioprio = 1, nop(2, IOSQE_IO_LINK), nop(3, 0), ring_wait(&r, "head not sound", 3);
    nop(1, IOSQE_IO_LINK), nop(2, 0)->ioprio = 1, nop(3, 0), ring_wait(&r, "last not sound", 2);
    ring_enter(r.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), ring_show(&r, "what was left");
    from_pipe(1, IOSQE_IO_LINK), nop(2, IOSQE_IO_LINK), nop(3, 0), ring_go(&r, 0);
    ring_show(&r, "waits"), must(write(ends[1], "four", 4)), ring_enter(r.fd, 0, 3, 1, NULL, 0), ring_show(&r, "goes on");
    from_pipe(1, IOSQE_IO_LINK), nop(2, 0), ring_go(&r, 0);
    must(write(ends[1], "x", 1)), ring_enter(r.fd, 0, 2, 1, NULL, 0), ring_show(&r, "short read");
    nop(1, IOSQE_IO_LINK), nop(2, IOSQE_IO_LINK), ring_wait(&r, "not ended", 2);
    nop(1, IOSQE_CQE_SKIP_SUCCESS), nop(2, 0), bad(3, IOSQE_CQE_SKIP_SUCCESS), ring_wait(&r, "silent success", 2);
    nop(1, IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS), nop(2, IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS), nop(3, 0);
    ring_wait(&r, "silent chain", 1);
    bad(1, IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS), nop(2, IOSQE_IO_LINK), nop(3, 0), ring_wait(&r, "silent failure", 1);
    sleep_ms(5), ring_show(&r, "what it links");
    nop(1, IOSQE_IO_DRAIN), ring_wait(&r, "drain after that", 1);
}

static void drains(void) {
    struct ring old = r;
    r = ring_make(16, 0, 0);
    from_pipe(1, 0), nop(2, IOSQE_IO_DRAIN), nop(3, 0), nop(4, 0), ring_go(&r, 0), ring_show(&r, "drain waits");
    nop(5, 0), ring_go(&r, 0), ring_show(&r, "and others do");
    must(write(ends[1], "four", 4)), ring_enter(r.fd, 0, 5, 1, NULL, 0), ring_show(&r, "drained");
    nop(1, 0), nop(2, IOSQE_IO_DRAIN), ring_wait(&r, "nothing to wait for", 2);
    from_pipe(1, 0), nop(2, IOSQE_IO_LINK), nop(3, IOSQE_IO_DRAIN), nop(4, 0), ring_go(&r, 0), ring_show(&r, "in a link");
    must(write(ends[1], "four", 4)), ring_enter(r.fd, 0, 4, 1, NULL, 0), ring_show(&r, "drained link");
    close(r.fd), r = old;
}

static void timeouts(void) {
    struct io_uring_sqe *e;
    long long start = now_ns();
    timeout(1, 20, 0, 0), ring_wait(&r, "passes", 1);
    check(now_ns() - start >= 20000000);
    timeout(1, 20, 0, IORING_TIMEOUT_ETIME_SUCCESS)->flags = IOSQE_IO_LINK, nop(2, 0), ring_wait(&r, "is success", 2);
    timeout(1, 20, 0, 0)->flags = IOSQE_IO_LINK, nop(2, 0), ring_wait(&r, "is failure", 2);
    timeout(1, 5000, 2, 0), nop(2, 0), nop(3, 0), ring_wait(&r, "after two", 3);
    timeout(1, 5000, 1, 0), ring_go(&r, 0), nop(2, 0), ring_wait(&r, "after one", 2);
    times[0].tv_sec = 0;
    timeout(1, 10, 3, TIMEOUT_MULTISHOT);
    ring_go(&r, 1), ring_show(&r, "first"), ring_enter(r.fd, 0, 1, 1, NULL, 0), ring_show(&r, "second");
    ring_enter(r.fd, 0, 1, 1, NULL, 0), ring_show(&r, "third");
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    timeout(1, now.tv_sec * 1000 + now.tv_nsec / 1000000 + 20, 0, IORING_TIMEOUT_ABS), ring_wait(&r, "absolute", 1);
    clock_gettime(CLOCK_REALTIME, &now);
    timeout(1, now.tv_sec * 1000 + now.tv_nsec / 1000000 + 20, 0, IORING_TIMEOUT_ABS | IORING_TIMEOUT_REALTIME);
    ring_wait(&r, "time of day", 1);
    timeout(1, 5000, 0, 0), ring_go(&r, 0);
    e = ring_next(&r, IORING_OP_TIMEOUT_REMOVE, -1, 2), e->addr = 1, ring_wait(&r, "remove", 2);
    e = ring_next(&r, IORING_OP_TIMEOUT_REMOVE, -1, 2), e->addr = 1, ring_wait(&r, "remove nothing", 1);
    timeout(1, 5000, 0, 0), ring_go(&r, 0);
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, -1, 2), e->addr = 1, ring_wait(&r, "cancel", 2);
    timeout(1, 5000, 0, 0), ring_go(&r, 0);
    times[3].tv_sec = 0, times[3].tv_nsec = 20000000;
    e = ring_next(&r, IORING_OP_TIMEOUT_REMOVE, -1, 2), e->addr = 1, e->addr2 = (uintptr_t)&times[3];
    e->timeout_flags = IORING_TIMEOUT_UPDATE, ring_wait(&r, "update", 1);
    ring_enter(r.fd, 0, 1, 1, NULL, 0), ring_show(&r, "updated");
    timeout(1, 20, 0, 0)->len = 2, ring_wait(&r, "two times", 1);
    timeout(1, 20, 0, 1 << 12), ring_wait(&r, "flag", 1);
    timeout(1, 20, 0, IORING_TIMEOUT_BOOTTIME | IORING_TIMEOUT_REALTIME), ring_wait(&r, "two clocks", 1);
    timeout(1, 20, 0, TIMEOUT_MULTISHOT | IORING_TIMEOUT_ABS), ring_wait(&r, "multishot at a time", 1);
    timeout(1, -20, 0, 0), ring_wait(&r, "negative", 1);
    timeout(1, 20, 0, 0)->addr = 16, ring_wait(&r, "elsewhere", 1);
    // A wait for more than there will be ends with a timeout.
    timeout(1, 20, 0, 0), ring_wait(&r, "wait for three", 3);
}

static void linked(void) {
    from_pipe(1, IOSQE_IO_LINK), link_timeout(2, 20), ring_wait(&r, "too late", 2);
    from_pipe(1, IOSQE_IO_LINK), link_timeout(2, 20)->flags = IOSQE_IO_LINK, nop(3, 0), ring_wait(&r, "and a link", 3);
    from_pipe(1, IOSQE_IO_LINK), link_timeout(2, 5000), ring_go(&r, 0), must(write(ends[1], "four", 4));
    ring_enter(r.fd, 0, 2, 1, NULL, 0), ring_show(&r, "in time");
    nop(1, IOSQE_IO_LINK), link_timeout(2, 5000), ring_wait(&r, "at once", 2);
    nop(1, IOSQE_IO_LINK), link_timeout(2, 5000)->flags = IOSQE_IO_LINK, nop(3, 0), ring_wait(&r, "at once, linked", 3);
    link_timeout(2, 5000), ring_wait(&r, "of nothing", 1);
    nop(1, IOSQE_IO_LINK), link_timeout(2, 5000)->flags = IOSQE_IO_LINK, link_timeout(3, 5000), ring_wait(&r, "two of one", 3);
    from_pipe(1, IOSQE_IO_LINK), link_timeout(2, 5000), ring_go(&r, 0);
    struct io_uring_sqe *e = ring_next(&r, IORING_OP_ASYNC_CANCEL, -1, 3);
    e->addr = 1, ring_wait(&r, "cancelled", 3);
}

// Completions that there is no room for come later.
static void overflow(void) {
    struct ring old = r;
    r = ring_make(4, 0, 0);
    fact("room", r.p.cq_entries);
    for (int round = 0; round < 4; round++) {
        for (int each = 0; each < 4; each++) nop(round * 4 + each, 0);
        result("submit", ring_go(&r, 0));
    }
    fact("overflow", *r.sq_flags & IORING_SQ_CQ_OVERFLOW ? 1 : 0);
    struct pollfd entry = {r.fd, POLLIN, 0};
    poll(&entry, 1, 0), tell("poll", "%x", entry.revents);
    ring_show(&r, "there was room"), poll(&entry, 1, 0), tell("poll", "%x", entry.revents);
    nop(50, 0), ring_go(&r, 0), ring_show(&r, "order is kept");
    result("take the rest", ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0)), ring_show(&r, "later");
    ring_enter(r.fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0), ring_show(&r, "last");
    fact("overflow", *r.sq_flags & IORING_SQ_CQ_OVERFLOW ? 1 : 0);
    fact("lost", *(unsigned *)(r.rings + r.p.cq_off.overflow));
    close(r.fd), r = old;
}

// A chain as long as there are entries.
static void long_chain(void) {
    struct ring old = r;
    r = ring_make(4096, 0, 0);
    for (int each = 0; each < 4095; each++) nop(each, IOSQE_IO_LINK);
    nop(4095, 0), ring_go(&r, 4096);
    long sum = 0, count = 0, ordered = 1;
    struct io_uring_cqe *c;
    while ((c = ring_peek(&r))) sum += c->user_data, ordered &= c->user_data == (uint64_t)count++, ++*r.cq_head;
    fact("chain", count), fact("sum", sum), fact("ordered", ordered);
    bad(0, IOSQE_IO_LINK);
    for (int each = 1; each < 4095; each++) nop(each, IOSQE_IO_LINK);
    nop(4095, 0), ring_go(&r, 4096);
    for (count = 0; (c = ring_peek(&r)); ++*r.cq_head) count += c->res == -ECANCELED;
    fact("cancelled", count);
    from_pipe(0, IOSQE_IO_LINK);
    for (int each = 1; each < 4095; each++) nop(each, IOSQE_IO_LINK);
    nop(4095, 0), ring_go(&r, 0);
    munmap(r.rings, r.p.sq_off.array + r.p.sq_entries * 4), munmap(r.sqes, r.p.sq_entries * 64);
    close(r.fd), r = old;
}

int main(void) {
    r = ring_make(16, 0, 0);
    must(pipe(ends));
    links();
    drains();
    timeouts();
    linked();
    overflow();
    long_chain();
    return 0;
}
