#include "facts.h"
#include <linux/futex.h>

static int first, second, sleeping, woken;

static void *wait_here(void *argument) {
    __atomic_add_fetch(&sleeping, 1, 5);
    syscall(SYS_futex, &first, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_add_fetch(&woken, 1, 5);
    return NULL;
}

static void start(pthread_t *threads) {
    sleeping = woken = 0;
    for (int each = 0; each < 6; each++) pthread_create(&threads[each], NULL, wait_here, NULL);
    while (__atomic_load_n(&sleeping, 5) < 6) sched_yield();
    sleep_ms(40);
}

static void settle(int count) {
    while (__atomic_load_n(&woken, 5) < count) sched_yield();
    sleep_ms(20);
    fact("woken", woken);
}

int main(void) {
    pthread_t threads[6];
    start(threads);
    result("value differs", syscall(SYS_futex, &first, FUTEX_CMP_REQUEUE_PRIVATE, 1, 9L, &second, 5));
    result("wake two, move three", syscall(SYS_futex, &first, FUTEX_CMP_REQUEUE_PRIVATE, 2, 3L, &second, 0));
    settle(2);
    result("one is left", syscall(SYS_futex, &first, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    settle(3);
    result("three had moved", syscall(SYS_futex, &second, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    settle(6);
    for (int each = 0; each < 6; each++) pthread_join(threads[each], NULL);
    start(threads);
    result("requeue without a value", syscall(SYS_futex, &first, FUTEX_REQUEUE_PRIVATE, 1, 100L, &second, 0));
    result("all had moved", syscall(SYS_futex, &second, FUTEX_WAKE_PRIVATE, 9, NULL, NULL, 0));
    settle(6);
    for (int each = 0; each < 6; each++) pthread_join(threads[each], NULL);
    result("negative count", syscall(SYS_futex, &first, FUTEX_CMP_REQUEUE_PRIVATE, -1, 1L, &second, 0));
}
