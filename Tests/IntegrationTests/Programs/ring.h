// A ring of io_uring(7) by its system calls alone.
#ifndef RING_H
#define RING_H
#include "facts.h"
#include <linux/io_uring.h>
#include <sys/uio.h>

#ifndef IORING_FEAT_SINGLE_MMAP
#error "linux/io_uring.h is too old"
#endif

struct ring {
    int fd;
    struct io_uring_params p;
    char *rings;
    unsigned *sq_head, *sq_tail, *sq_mask, *sq_flags, *array, *cq_head, *cq_tail, *cq_mask, *cq_flags;
    struct io_uring_sqe *sqes;
    struct io_uring_cqe *cqes;
    unsigned prepared;
};

static inline long ring_setup(unsigned entries, struct io_uring_params *p) {
    return syscall(425, entries, p);
}
static inline long ring_enter(int fd, unsigned submit, unsigned least, unsigned flags, void *argument, size_t size) {
    return syscall(426, fd, submit, least, flags, argument, size);
}
static inline long ring_register(int fd, unsigned operation, void *argument, unsigned count) {
    return syscall(427, fd, operation, argument, count);
}

static inline struct ring ring_make(unsigned entries, unsigned flags, unsigned completions) {
    struct ring r = {0};
    r.p.flags = flags, r.p.cq_entries = completions;
    r.fd = must(ring_setup(entries, &r.p));
    size_t size = r.p.sq_off.array + r.p.sq_entries * 4;
    size_t other = r.p.cq_off.cqes + r.p.cq_entries * 16;
    if (other > size) size = other;
    r.rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_SQ_RING);
    r.sqes = mmap(NULL, r.p.sq_entries * 64, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_SQES);
    if (r.rings == MAP_FAILED || (void *)r.sqes == MAP_FAILED) printf("mmap of a ring: %s\n", error_name(errno)), exit(99);
#define AT(offset) (unsigned *)(r.rings + r.p.offset)
    r.sq_head = AT(sq_off.head), r.sq_tail = AT(sq_off.tail), r.sq_mask = AT(sq_off.ring_mask);
    r.sq_flags = AT(sq_off.flags), r.array = AT(sq_off.array), r.cq_head = AT(cq_off.head);
    r.cq_tail = AT(cq_off.tail), r.cq_mask = AT(cq_off.ring_mask), r.cq_flags = AT(cq_off.flags);
    r.cqes = (void *)AT(cq_off.cqes);
#undef AT
    return r;
}

// The next entry, all zero but for what is given.
static inline struct io_uring_sqe *ring_next(struct ring *r, int operation, int fd, uint64_t data) {
    unsigned tail = *r->sq_tail + r->prepared, index = tail & *r->sq_mask;
    struct io_uring_sqe *e = &r->sqes[index];
    memset(e, 0, sizeof *e);
    e->opcode = operation, e->fd = fd, e->user_data = data;
    if (!(r->p.flags & (1U << 16))) r->array[index] = index;
    r->prepared++;
    return e;
}
static inline long ring_go(struct ring *r, unsigned least) {
    unsigned count = r->prepared;
    r->prepared = 0;
    __atomic_store_n(r->sq_tail, *r->sq_tail + count, __ATOMIC_RELEASE);
    return ring_enter(r->fd, count, least, least ? IORING_ENTER_GETEVENTS : 0, NULL, 0);
}
static inline struct io_uring_cqe *ring_peek(struct ring *r) {
    if (*r->cq_head == __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE)) return NULL;
    return &r->cqes[*r->cq_head & *r->cq_mask];
}
// Prints and takes the completions that there are, in their order.
static inline void ring_show(struct ring *r, const char *name) {
    struct io_uring_cqe *c;
    int count = 0;
    while ((c = ring_peek(r))) {
        if (c->res < 0) printf("%s: %llu %s", name, (unsigned long long)c->user_data, error_name(-c->res));
        else printf("%s: %llu %d", name, (unsigned long long)c->user_data, c->res);
        printf(c->flags & IORING_CQE_F_MORE ? " more\n" : "\n");
        __atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE), count++;
    }
    if (!count) printf("%s: nothing\n", name);
}
// Waits for so many and shows them.
static inline void ring_wait(struct ring *r, const char *name, unsigned least) {
    long value = ring_go(r, least);
    if (value < 0) printf("%s: enter: %s\n", name, error_name(errno));
    ring_show(r, name);
}
static inline struct io_uring_sqe *ring_bytes(
    struct ring *r, int operation, int fd, void *address, unsigned length, uint64_t offset, uint64_t data) {
    struct io_uring_sqe *e = ring_next(r, operation, fd, data);
    e->addr = (uintptr_t)address, e->len = length, e->off = offset;
    return e;
}
#endif
