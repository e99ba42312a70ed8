#include "facts.h"
#include <stddef.h>
#include <sys/time.h>

#ifndef SYS_rseq
#define SYS_rseq 334
#endif
#define SIGNATURE 0x53053053

// `struct rseq` as it was at first.
struct area {
    uint32_t processor_start, processor;
    uint64_t sequence;
    uint32_t flags, node, concurrency, padding;
} __attribute__((aligned(32)));

struct sequence {
    uint32_t version, flags;
    uint64_t start, length, abort;
} __attribute__((aligned(32)));

static struct area area, other;

#ifdef __GLIBC__
extern const ptrdiff_t __rseq_offset;
extern const unsigned __rseq_size;
#endif

static long sequence(void *address, uint32_t length, int flags, uint32_t signature) {
    return syscall(SYS_rseq, address, length, flags, signature);
}

// The C library may have registered its own.
static void leave_to_us(void) {
#ifdef __GLIBC__
    if (__rseq_size == 0) return;
    char *own = (char *)__builtin_thread_pointer() + __rseq_offset;
    must(sequence(own, 32, 1, SIGNATURE));
#endif
}

static void note(int number, siginfo_t *information, void *context) {
    (void)number, (void)information, (void)context;
}

// Counts in a sequence until it is interrupted; how many steps it made.
static long count_until_aborted(void) {
    static struct sequence description;
    long steps = 0, aborted = 0;
    __asm__ volatile(
        "lea 1f(%%rip), %%rax\n\t"
        "mov %%rax, 8(%[d])\n\t"
        "lea 2f(%%rip), %%rcx\n\t"
        "sub %%rax, %%rcx\n\t"
        "mov %%rcx, 16(%[d])\n\t"
        "lea 4f(%%rip), %%rax\n\t"
        "mov %%rax, 24(%[d])\n\t"
        "mov %[d], 8(%[a])\n\t"
        "1: inc %[s]\n\t"
        "cmp $0, %[aborted]\n\t"
        "je 1b\n\t"
        "2: jmp 5f\n\t"
        ".long 0x53053053\n\t"
        "4: mov $1, %[aborted]\n\t"
        "5:\n\t"
        : [s] "+r"(steps), [aborted] "+r"(aborted)
        : [d] "r"(&description), [a] "r"(&area)
        : "rax", "rcx", "memory");
    return aborted ? steps : -1;
}

static void *spin(void *stop) {
    while (!*(volatile int *)stop) {}
    return NULL;
}

static void *in_a_thread(void *unused) {
    (void)unused;
    result("a thread has none at first", sequence(&other, 32, 1, SIGNATURE));
    return NULL;
}

int main(void) {
    leave_to_us();
    result("too short", sequence(&area, 16, 0, SIGNATURE));
    result("not aligned", sequence((char *)&area + 8, 32, 0, SIGNATURE));
    result("unknown flags", sequence(&area, 32, 4, SIGNATURE));
    result("not registered", sequence(&area, 32, 1, SIGNATURE));
    area.processor = -1;
    result("registered", sequence(&area, 32, 0, SIGNATURE));
    fact("knows its processor", area.processor == area.processor_start && (int)area.processor >= 0);
    result("again", sequence(&area, 32, 0, SIGNATURE));
    result("another", sequence(&other, 32, 0, SIGNATURE));
    result("another signature", sequence(&area, 32, 0, 1));

    install(SIGALRM, note, 0);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 20000}, NULL);
    fact("a signal aborts it", count_until_aborted() > 0);
    fact("the sequence is forgotten", area.sequence == 0);

    // Somebody else is to get the processor meanwhile.
    int stop = 0;
    pthread_t thread;
    pthread_create(&thread, NULL, spin, &stop);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_sec = 2}, NULL);
    fact("aborted again", count_until_aborted() > 0);
    setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
    stop = 1;
    pthread_join(thread, NULL);
#ifndef __GLIBC__
    pthread_create(&thread, NULL, in_a_thread, NULL);
    pthread_join(thread, NULL);
#else
    (void)in_a_thread;
#endif

    result("not with another signature", sequence(&area, 32, 1, 1));
    result("not registered any more", sequence(&area, 32, 1, SIGNATURE));
    fact("and no processor", area.processor == (uint32_t)-1);
    result("twice", sequence(&area, 32, 1, SIGNATURE));
    return 0;
}
