#include "facts.h"
#include <linux/futex.h>

// FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI, as condition variables of locks with priority
// inheritance use them.
static int condition, lock, waiting, woken;

static long futex(int *word, int operation, long value, void *time, int *second, int last) {
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, time, second, last);
}

static void *waiter(void *unused) {
    __atomic_add_fetch(&waiting, 1, __ATOMIC_SEQ_CST);
    long answer = futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock, 0);
    int is_owner = (lock & FUTEX_TID_MASK) == syscall(SYS_gettid);
    __atomic_add_fetch(&woken, answer == 0 && is_owner, __ATOMIC_SEQ_CST);
    if (answer == 0) futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    return unused;
}

int main(void) {
    struct timespec past = {0, 0};
    result("another value", futex(&condition, FUTEX_WAIT_REQUEUE_PI, 1, NULL, &lock, 0));
    result("too late", futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &past, &lock, 0));
    result("to itself", futex(&lock, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &lock, 0));
    result("a clock for a length", futex(&condition, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &past,
        NULL, 0));
    result("nobody to move", futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)9L, &lock, 0));
    result("waking two", futex(&condition, FUTEX_CMP_REQUEUE_PI, 2, (void *)9L, &lock, 0));
    result("another value", futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)9L, &lock, 1));

    pthread_t threads[3];
    must(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    for (int index = 0; index < 3; index++) pthread_create(&threads[index], NULL, waiter, NULL);
    while (__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) < 3) sleep_ms(1);
    long moved = 0;
    for (int round = 0; round < 2000 && moved < 3; round++) {
        moved += must(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)9L, &lock, 0));
        sleep_ms(1);
    }
    fact("moved", moved);
    fact("woken while the lock is held", woken);
    result("unlock", futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    for (int index = 0; index < 3; index++) pthread_join(threads[index], NULL);
    fact("woken, each as the owner", woken);
    fact("the lock is free", (lock & FUTEX_TID_MASK) == 0);
}
