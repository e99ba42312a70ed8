// cflags: -g -O1 -fno-omit-frame-pointer
// Crashes, or aborts, in a function among threads, each of which a debugger is to find where it is.
#include "../facts.h"
#include <sys/wait.h>

static pthread_barrier_t barrier;
char told[] = "told by the core";

__attribute__((noinline)) static void wait_in_a_call(void) {
    pthread_barrier_wait(&barrier);
    pause();
    told[0] = 0;
}

__attribute__((noinline)) static void compute_for_ever(volatile long *number) {
    pthread_barrier_wait(&barrier);
    for (;;) ++*number;
}

static void *wait_there(void *unused) {
    wait_in_a_call();
    return 0;
}

static void *compute_there(void *unused) {
    volatile long number = 0;
    compute_for_ever(&number);
    return 0;
}

__attribute__((noinline)) static int crash_here(int depth) {
    if (depth > 0) return crash_here(depth - 1) + 1;
    double values[2] = {1.5, 2.5};
    __asm__ volatile("movupd (%0), %%xmm9\n\tmov $0x1234567, %%r12\n\tmovl $1, 8" : : "r"(values)
                     : "xmm9", "r12", "memory");
    return 0;
}

int main(int count, char **words) {
    pthread_t thread;
    int aborts = count > 1 && strcmp(words[1], "aborts") == 0;
    pthread_barrier_init(&barrier, 0, 3);
    pthread_create(&thread, 0, wait_there, 0);
    pthread_create(&thread, 0, compute_there, 0);
    pthread_barrier_wait(&barrier);
    sleep_ms(20);
    if (aborts) abort();
    return crash_here(3);
}
