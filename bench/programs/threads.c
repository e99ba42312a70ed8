// Two threads that wait for each other, and threads that come and go. An operation is a round trip, or
// 64 KiB that one thread writes and another reads.
#include "bench.h"
#include <sys/socket.h>
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

static int ends[2];
static void *socket_partner(void *argument) {
    char byte;
    for (long each = 0; each < turns; each++) read(ends[1], &byte, 1), write(ends[1], &byte, 1);
    return NULL;
}
static void socket_ping_pong(long count) {
    pthread_t partner;
    char byte = 1;
    turns = count;
    pthread_create(&partner, NULL, socket_partner, NULL);
    while (count--) write(ends[0], &byte, 1), read(ends[0], &byte, 1);
    pthread_join(partner, NULL);
}

enum { large = 65536 };
static int source, sink;
static void *large_reader(void *argument) {
    static char buffer[large];
    for (long left = turns * large; left > 0;) left -= read(sink, buffer, large);
    return NULL;
}
static void move_large(long count) {
    static char buffer[large];
    pthread_t reader;
    turns = count;
    pthread_create(&reader, NULL, large_reader, NULL);
    while (count--) write(source, buffer, large);
    pthread_join(reader, NULL);
}
static void pipe_throughput(long count) {
    source = there[1], sink = there[0];
    move_large(count);
}
static void socket_throughput(long count) {
    source = ends[0], sink = ends[1];
    move_large(count);
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
    if (pipe(there) || pipe(back) || socketpair(AF_UNIX, SOCK_STREAM, 0, ends)) return 1;
    BENCH("futex-ping-pong", futex_ping_pong);
    BENCH("pipe-ping-pong", pipe_ping_pong);
    BENCH("socket-ping-pong", socket_ping_pong);
    BENCH("pipe-throughput", pipe_throughput);
    BENCH("socket-throughput", socket_throughput);
    BENCH("thread-create-join", create_join);
}
