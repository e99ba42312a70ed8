// What the micro-benchmarks share. Each prints lines of `name iterations nanoseconds-per-operation`,
// one for each round; `bench/run` takes the least or the median of them.
#ifndef BENCH_H
#define BENCH_H
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { rounds = 7, round_ns = 20000000 };

static inline long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// Runs `body(count)` with a count that takes about `round_ns`, found by doubling, then `rounds`
// times for the record. The first calls, in which sites are rewritten, fall into the search.
static inline void measure(const char *name, void (*body)(long count)) {
    long count = 1;
    for (;;) {
        long long start = now_ns();
        body(count);
        long long took = now_ns() - start;
        if (took >= round_ns / 2 || count > 1L << 30) break;
        count = took * 8 < round_ns ? count * 4 : count * 2;
    }
    for (int round = 0; round < rounds; round++) {
        long long start = now_ns();
        body(count);
        printf("%s %ld %.3f\n", name, count, (double)(now_ns() - start) / count);
    }
}

// Runs only the benchmarks named on the command line; all of them without arguments.
static inline int wanted(int count, char **names, const char *name) {
    if (count < 2) return 1;
    for (int each = 1; each < count; each++) {
        if (strcmp(names[each], name) == 0) return 1;
    }
    return 0;
}

#define BENCH(name, body) \
    if (wanted(count, arguments, name)) measure(name, body)

#endif
