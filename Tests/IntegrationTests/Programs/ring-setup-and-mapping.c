#include "ring.h"
#include <poll.h>
#include <sys/eventfd.h>

static void set_up(const char *name, unsigned entries, unsigned flags, unsigned completions) {
    struct io_uring_params p = {0};
    p.flags = flags, p.cq_entries = completions;
    long fd = ring_setup(entries, &p);
    if (fd < 0) {
        tell(name, "%s", error_name(errno));
        return;
    }
    tell(name, "%u %u close-on-exec %d", p.sq_entries, p.cq_entries, fcntl(fd, F_GETFD));
    close(fd);
}

static void refuse_to_map(struct ring *r) {
    void *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r->fd, 0x20000000);
    tell("other offset", "%s", p == MAP_FAILED ? error_name(errno) : "mapped");
    p = mmap(NULL, 64 << 20, PROT_READ, MAP_SHARED, r->fd, 0);
    tell("too long", "%s", p == MAP_FAILED ? error_name(errno) : "mapped");
    p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
    fact("the same memory", p != MAP_FAILED && memcmp(p, r->rings, 4096) == 0);
}

static void enter(struct ring *r) {
    int event = eventfd(0, 0);
    result("enter nothing", ring_enter(r->fd, 0, 0, 0, NULL, 0));
    result("no entries there", ring_enter(r->fd, 5, 0, 0, NULL, 0));
    result("flags", ring_enter(r->fd, 0, 0, 1 << 20, NULL, 0));
    result("flags before descriptor", ring_enter(-1, 0, 0, 1 << 20, NULL, 0));
    result("descriptor", ring_enter(-1, 0, 0, 0, NULL, 0));
    result("no ring", ring_enter(event, 0, 0, 0, NULL, 0));
    result("wait for none", ring_enter(r->fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0));
    uint64_t mask = 0;
    result("size of a mask", ring_enter(r->fd, 0, 1, IORING_ENTER_GETEVENTS, &mask, 4));
    result("mask elsewhere", ring_enter(r->fd, 0, 1, IORING_ENTER_GETEVENTS, (void *)16, 8));
    struct __kernel_timespec time = {0, 20000000};
    struct io_uring_getevents_arg argument = {0, 8, 0, (uintptr_t)&time};
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    result("time passes", ring_enter(r->fd, 0, 1, flags, &argument, sizeof argument));
    result("size of an argument", ring_enter(r->fd, 0, 1, flags, &argument, 8));
    result("argument elsewhere", ring_enter(r->fd, 0, 1, flags, (void *)16, sizeof argument));
    argument.ts = 16;
    result("time elsewhere", ring_enter(r->fd, 0, 1, flags, &argument, sizeof argument));
    struct pollfd entry = {r->fd, POLLIN | POLLOUT, 0};
    poll(&entry, 1, 0), tell("empty", "%x", entry.revents);
    for (int each = 0; each < 8; each++) ring_next(r, IORING_OP_NOP, -1, each);
    __atomic_store_n(r->sq_tail, *r->sq_tail + 8, __ATOMIC_RELEASE), r->prepared = 0;
    poll(&entry, 1, 0), tell("full", "%x", entry.revents);
    result("some", ring_enter(r->fd, 3, 0, 0, NULL, 0));
    poll(&entry, 1, 0), tell("completed", "%x", entry.revents);
    result("more than there are", ring_enter(r->fd, 9, 8, IORING_ENTER_GETEVENTS, NULL, 0));
    ring_show(r, "nothing done");
    poll(&entry, 1, 0), tell("taken", "%x", entry.revents);
    // An index that is none.
    ring_next(r, IORING_OP_NOP, -1, 1), r->array[*r->sq_tail & *r->sq_mask] = 77;
    result("index", ring_go(r, 0));
    fact("dropped", *(unsigned *)(r->rings + r->p.sq_off.dropped));
    char name[64] = "", path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", r->fd);
    must(readlink(path, name, 63)), tell("name", "%s", name);
    result("read", read(r->fd, name, 8)), result("write", write(r->fd, name, 8));
    close(event);
}

static void *submit_elsewhere(void *argument) {
    struct ring *r = argument;
    ring_next(r, IORING_OP_NOP, -1, 9);
    result("another thread", ring_go(r, 0));
    return NULL;
}

int main(void) {
    set_up("one", 1, 0, 0), set_up("five", 5, 0, 0), set_up("none", 0, 0, 0);
    set_up("most", 32768, 0, 0), set_up("too many", 32769, 0, 0);
    set_up("clamped", 100000, IORING_SETUP_CLAMP, 0);
    set_up("completions", 8, IORING_SETUP_CQSIZE, 100), set_up("no completions", 8, IORING_SETUP_CQSIZE, 0);
    set_up("fewer completions", 8, IORING_SETUP_CQSIZE, 4);
    set_up("too many completions", 8, IORING_SETUP_CQSIZE, 70000);
    set_up("clamped completions", 8, IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP, 700000);
    set_up("flag", 8, 1U << 31, 0), set_up("affinity alone", 8, IORING_SETUP_SQ_AFF, 0);
    set_up("tells work alone", 8, IORING_SETUP_TASKRUN_FLAG, 0);
    set_up("cooperates", 8, IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL, 0);
    set_up("deferred work alone", 8, IORING_SETUP_DEFER_TASKRUN, 0);
    result("parameters elsewhere", ring_setup(8, (void *)16));
    struct io_uring_params p = {0};
    p.resv[1] = 1;
    result("reserved", ring_setup(8, &p));
    p.resv[1] = 0, p.flags = IORING_SETUP_ATTACH_WQ, p.wq_fd = 77;
    result("workers of nobody", ring_setup(8, &p));
    p.wq_fd = 1;
    result("workers of a file", ring_setup(8, &p));
    struct ring r = ring_make(8, 0, 0);
    unsigned features = IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS |
                        IORING_FEAT_CUR_PERSONALITY | IORING_FEAT_FAST_POLL | IORING_FEAT_POLL_32BITS |
                        IORING_FEAT_EXT_ARG | IORING_FEAT_CQE_SKIP | IORING_FEAT_LINKED_FILE;
    fact("features", (r.p.features & features) == features);
    refuse_to_map(&r);
    enter(&r);
    struct ring off = ring_make(4, IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER, 0);
    ring_next(&off, IORING_OP_NOP, -1, 1);
    result("disabled", ring_go(&off, 1));
    result("enable", ring_register(off.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
    result("again", ring_register(off.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
    result("enabled", ring_enter(off.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0)), ring_show(&off, "enabled");
    pthread_t thread;
    pthread_create(&thread, NULL, submit_elsewhere, &off), pthread_join(thread, NULL);
    struct ring indexless = ring_make(4, 1U << 16, 0);
    for (int each = 0; each < 3; each++) ring_next(&indexless, IORING_OP_NOP, -1, each);
    ring_wait(&indexless, "without an array", 3);
    return 0;
}
