/* The vDSO that programs see, as vdso(7) describes it: a shared object of its own, which
 * tools/link-kernel builds and puts into the kernel image as data. */
#include <stdint.h>

#include "../include/vdso_data.h"

/* The page behind the object, filled by the kernel: see vdso.ld. */
extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

struct timespec {
    int64_t seconds, nanoseconds;
};

struct timeval {
    int64_t seconds, microseconds;
};

struct timezone {
    int32_t minutes_west, daylight_saving;
};

/* As many of the clocks as the counter tells; all of them are as exact. */
enum {
    CLOCK_REALTIME = 0,
    CLOCK_MONOTONIC = 1,
    CLOCK_MONOTONIC_RAW = 4,
    CLOCK_REALTIME_COARSE = 5,
    CLOCK_MONOTONIC_COARSE = 6,
    CLOCK_BOOTTIME = 7,
};
#define REALTIME_CLOCKS (1 << CLOCK_REALTIME | 1 << CLOCK_REALTIME_COARSE)
#define COUNTED_CLOCKS                                                                   \
    (REALTIME_CLOCKS | 1 << CLOCK_MONOTONIC | 1 << CLOCK_MONOTONIC_RAW |                 \
     1 << CLOCK_MONOTONIC_COARSE | 1 << CLOCK_BOOTTIME)

enum { CALL_CLOCK_GETTIME = 228 };

static int call_clock_gettime(int clock, struct timespec *time) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(CALL_CLOCK_GETTIME), "D"(clock), "S"(time)
                     : "rcx", "r11", "memory");
    return (int)result;
}

/* Nanoseconds of the monotonic clock, as the kernel itself reckons them. */
static uint64_t counted_time(void) {
    uint32_t low, high;
    /* No read of the counter may move above what came before it. */
    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
    uint64_t cycles = ((uint64_t)high << 32 | low) - vdso_data.first_cycles;
    return (uint64_t)((unsigned __int128)cycles * vdso_data.rate >> 32);
}

int __vdso_clock_gettime(int clock, struct timespec *time) {
    int (*host)(int, struct timespec *) = (void *)vdso_data.host_clock;
    if (host) return host(clock, time);
    if (vdso_data.rate == 0 || (unsigned)clock > CLOCK_BOOTTIME || !(COUNTED_CLOCKS >> clock & 1))
        return call_clock_gettime(clock, time);
    uint64_t now = counted_time();
    if (REALTIME_CLOCKS >> clock & 1) now += vdso_data.first_time;
    time->seconds = (int64_t)(now / 1000000000);
    time->nanoseconds = (int64_t)(now % 1000000000);
    return 0;
}

int __vdso_gettimeofday(struct timeval *now, struct timezone *zone) {
    if (now) {
        struct timespec time;
        int result = __vdso_clock_gettime(CLOCK_REALTIME, &time);
        if (result < 0) return result;
        now->seconds = time.seconds;
        now->microseconds = time.nanoseconds / 1000;
    }
    if (zone) *zone = (struct timezone){0, 0};
    return 0;
}

int64_t __vdso_time(int64_t *time) {
    struct timespec now;
    if (__vdso_clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0) return -1;
    if (time) *time = now.seconds;
    return now.seconds;
}

/* One processor. */
int __vdso_getcpu(unsigned *processor, unsigned *node, void *cache) {
    (void)cache;
    if (processor) *processor = 0;
    if (node) *node = 0;
    return 0;
}

#define ALIAS(name) __attribute__((weak, alias("__vdso_" #name)))
int clock_gettime(int clock, struct timespec *time) ALIAS(clock_gettime);
int gettimeofday(struct timeval *now, struct timezone *zone) ALIAS(gettimeofday);
int64_t time(int64_t *time) ALIAS(time);
int getcpu(unsigned *processor, unsigned *node, void *cache) ALIAS(getcpu);
