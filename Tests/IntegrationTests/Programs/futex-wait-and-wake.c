#include "facts.h"
#include <linux/futex.h>

static int word, sleeping, woken;

static long futex(int *at, int operation, int value, void *timeout, int *second, int third) {
    return syscall(SYS_futex, at, operation, value, timeout, second, third);
}

static void *wait_here(void *argument) {
    __atomic_add_fetch(&sleeping, 1, 5);
    while (__atomic_load_n(&word, __ATOMIC_SEQ_CST) == 0) futex(&word, (int)(long)argument, 0, NULL, NULL, 0);
    __atomic_add_fetch(&woken, 1, 5);
    return NULL;
}

int main(void) {
    struct timespec zero = {0, 0}, little = {0, 20000000}, bad = {0, 1000000000}, negative = {-1, 0};
    result("wake nobody", futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0));
    result("value differs", futex(&word, FUTEX_WAIT, 1, NULL, NULL, 0));
    result("no time", futex(&word, FUTEX_WAIT, 0, &zero, NULL, 0));
    long long before = now_ns();
    result("little time", futex(&word, FUTEX_WAIT_PRIVATE, 0, &little, NULL, 0));
    fact("it took that long", now_ns() - before >= 20000000);
    result("bad nanoseconds", futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0));
    result("negative seconds", futex(&word, FUTEX_WAIT, 0, &negative, NULL, 0));
    result("unaligned", futex((int *)((char *)&word + 1), FUTEX_WAIT, 0, NULL, NULL, 0));
    result("bad address", futex((int *)16, FUTEX_WAIT, 0, NULL, NULL, 0));
    result("bad timeout", futex(&word, FUTEX_WAIT, 0, (void *)16, NULL, 0));
    result("unknown operation", futex(&word, 99, 0, NULL, NULL, 0));
    for (int private = 0; private <= FUTEX_PRIVATE_FLAG; private += FUTEX_PRIVATE_FLAG) {
        pthread_t threads[5];
        word = sleeping = woken = 0;
        for (int each = 0; each < 5; each++) {
            pthread_create(&threads[each], NULL, wait_here, (void *)(long)(FUTEX_WAIT | private));
        }
        while (__atomic_load_n(&sleeping, 5) < 5) sched_yield();
        sleep_ms(30);
        result("wake one of them in vain", futex(&word, FUTEX_WAKE | private, 1, NULL, NULL, 0));
        sleep_ms(20);
        __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST);
        result("wake three", futex(&word, FUTEX_WAKE | private, 3, NULL, NULL, 0));
        result("wake the rest", futex(&word, FUTEX_WAKE | private, INT_MAX, NULL, NULL, 0));
        for (int each = 0; each < 5; each++) pthread_join(threads[each], NULL);
        fact("woken", woken);
    }
}
