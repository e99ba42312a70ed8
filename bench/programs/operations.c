// Operations whose guest instructions bench/run-vm counts, as many times as it is told.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "mark.h"

static void fail(const char *what) {
    perror(what);
    exit(1);
}

// A row: the same call sites run twice, first to warm up. Its second pair of marks counts. The loop's
// own instructions are those of row 0, and are taken off the others.
#define ROW(number, name, operation) \
    static __attribute__((noinline)) void pass_##name(long left) { \
        MARK(2 * number); \
        do operation; while (--left); \
        MARK(2 * number + 1); \
    } \
    static void name(long count) { \
        pass_##name(64); \
        pass_##name(count); \
    }

// The shape that compilers and C libraries emit most.
#define INLINE_CALL(number) \
    do { \
        long value; \
        __asm__ volatile("mov %1, %%eax\n syscall" \
                         : "=&a"(value) : "i"(number) : "rcx", "r11", "memory"); \
    } while (0)

static char byte;

static void use_pipe(int *ends) {
    if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) fail("pipe");
}

// Two threads that answer each other by a byte in a pipe.
static int there[2], back[2];

static void *answer_bytes(void *none) {
    while (read(there[0], &byte, 1) == 1 && byte == 0 && write(back[1], &byte, 1) == 1) continue;
    return none;
}

static void pipe_ping_pong(void) {
    byte = 0;
    if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1) fail("ping-pong");
}

// Two threads that answer each other by a condition variable.
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static enum { ours, theirs, over } turn;

static void *answer_turns(void *none) {
    pthread_mutex_lock(&mutex);
    while (turn != over) {
        if (turn == theirs) {
            turn = ours;
            pthread_cond_signal(&turned);
        } else {
            pthread_cond_wait(&turned, &mutex);
        }
    }
    pthread_mutex_unlock(&mutex);
    return none;
}

static void condition_ping_pong(void) {
    turn = theirs;
    pthread_cond_signal(&turned);
    while (turn == theirs) pthread_cond_wait(&turned, &mutex);
}

static void *nothing(void *none) { return none; }

static void run_thread(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL)) fail("thread");
}

static void map_page(int touches) {
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) fail("mmap");
    if (touches) *page = 1;
    if (munmap(page, 4096)) fail("munmap");
}

static const char path[] = "/tmp/operations";

static void read_file(void) {
    char text[128];
    int file = open(path, O_RDONLY);
    if (file < 0 || read(file, text, sizeof text) != sizeof text) fail(path);
    close(file);
}

static void make_file(void) {
    char text[128] = {0};
    mkdir("/tmp", 0755);
    int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    if (file < 0 || write(file, text, sizeof text) != sizeof text) fail(path);
    close(file);
}

static struct timespec moment;
static int ends[2];

ROW(0, empty, __asm__ volatile("" ::: "memory"))
ROW(1, null_call, INLINE_CALL(SYS_getppid))
ROW(2, unknown_call, INLINE_CALL(1000))
ROW(3, clock_call, clock_gettime(CLOCK_MONOTONIC, &moment))
ROW(4, yield, sched_yield())
ROW(5, pipe_bytes, use_pipe(ends))
ROW(6, pipe_turns, pipe_ping_pong())
ROW(7, condition_turns, condition_ping_pong())
ROW(8, threads, run_thread())
ROW(9, map, map_page(0))
ROW(10, map_and_touch, map_page(1))
ROW(11, read_files, read_file())

static void take_turns(long count) {
    pthread_t thread;
    pthread_create(&thread, NULL, answer_bytes, NULL);
    pipe_turns(count);
    byte = 1;
    write(there[1], &byte, 1);
    pthread_join(thread, NULL);

    pthread_mutex_lock(&mutex);
    pthread_create(&thread, NULL, answer_turns, NULL);
    condition_turns(count);
    turn = over;
    pthread_cond_signal(&turned);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
}

int main(int arguments, char **words) {
    long count = arguments > 1 ? atol(words[1]) : 1000;
    if (pipe(ends) || pipe(there) || pipe(back)) fail("pipe");
    make_file();
    empty(count);
    null_call(count);
    unknown_call(count);
    clock_call(count);
    yield(count);
    pipe_bytes(count);
    take_turns(count);
    threads(count);
    map(count);
    map_and_touch(count);
    read_files(count);
    if (getpid() == 1) reboot(RB_AUTOBOOT);
    return 0;
}
