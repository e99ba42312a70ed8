#include "facts.h"
#include <linux/futex.h>

static int word;
static volatile int waiting;

static void *lock_it(void *argument) {
    waiting = 1;
    long value = syscall(SYS_futex, &word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    check((word & FUTEX_TID_MASK) == syscall(SYS_gettid));
    syscall(SYS_futex, &word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    return (void *)value;
}

int main(void) {
    result("lock", syscall(SYS_futex, &word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    fact("holds my number", word == syscall(SYS_gettid));
    result("again", syscall(SYS_futex, &word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    result("try", syscall(SYS_futex, &word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    pthread_t thread;
    pthread_create(&thread, NULL, lock_it, NULL);
    while (!waiting) sched_yield();
    while (!(__atomic_load_n(&word, 5) & FUTEX_WAITERS)) sched_yield();
    printf("a waiter shows\n");
    result("unlock", syscall(SYS_futex, &word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    void *value;
    pthread_join(thread, &value);
    fact("the waiter had it", (long)value);
    fact("word", word);
    result("unlock what is not mine", syscall(SYS_futex, &word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    word = 0x3ffffff0;
    result("owner does not exist", syscall(SYS_futex, &word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}
