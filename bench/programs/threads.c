// Two threads that wait for each other, and threads that come and go. An operation is a round trip.
#include "bench.h"
#include <linux/futex.h>

static int words[2];
static long turns;

static void wait_for(int *word) {
    while (__atomic_exchange_n(word, 0, __ATOMIC_ACQ_REL) == 0) syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL);
}
static void wake(int *word) {
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1);
}

static void *futex_partner(void *argument) {
    for (long each = 0; each < turns; each++) wait_for(&words[0]), wake(&words[1]);
    return NULL;
}
static void futex_ping_pong(long count) {
    pthread_t partner;
    turns = count;
    pthread_create(&partner, NULL, futex_partner, NULL);
    while (count--) wake(&words[0]), wait_for(&words[1]);
    pthread_join(partner, NULL);
}

static int there[2], back[2];
static void *pipe_partner(void *argument) {
    char byte;
    for (long each = 0; each < turns; each++) read(there[0], &byte, 1), write(back[1], &byte, 1);
    return NULL;
}
static void pipe_ping_pong(long count) {
    pthread_t partner;
    char byte = 1;
    turns = count;
    pthread_create(&partner, NULL, pipe_partner, NULL);
    while (count--) write(there[1], &byte, 1), read(back[0], &byte, 1);
    pthread_join(partner, NULL);
}

static void *nothing(void *argument) { return argument; }
static void create_join(long count) {
    while (count--) {
        pthread_t thread;
        pthread_create(&thread, NULL, nothing, NULL);
        pthread_join(thread, NULL);
    }
}

int main(int count, char **arguments) {
    if (pipe(there) || pipe(back)) return 1;
    BENCH("futex-ping-pong", futex_ping_pong);
    BENCH("pipe-ping-pong", pipe_ping_pong);
    BENCH("thread-create-join", create_join);
}
