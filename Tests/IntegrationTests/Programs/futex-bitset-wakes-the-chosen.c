#include "facts.h"
#include <linux/futex.h>

static int word, sleeping;

static void *wait_here(void *argument) {
    __atomic_add_fetch(&sleeping, 1, 5);
    long value = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (int)(long)argument);
    return (void *)value;
}

int main(void) {
    pthread_t threads[3];
    for (int each = 0; each < 3; each++) pthread_create(&threads[each], NULL, wait_here, (void *)(1L << each));
    while (__atomic_load_n(&sleeping, 5) < 3) sched_yield();
    sleep_ms(40);
    result("none has this bit", syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 8));
    result("the second", syscall(SYS_futex, &word, FUTEX_WAKE_BITSET_PRIVATE, 9, NULL, NULL, 2));
    void *value;
    pthread_join(threads[1], &value);
    fact("returned", (long)value);
    result("the rest by a plain wake", syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    pthread_join(threads[0], NULL);
    pthread_join(threads[2], NULL);
    result("no bits, wait", syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0));
    result("no bits, wake", syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    result("absolute, past", syscall(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &until, NULL, -1));
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    result("absolute, real time", syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL, -1));
}
