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

enum { CLOCK_REALTIME = 0, CLOCK_REALTIME_COARSE = 5, CALL_CLOCK_GETTIME = 228 };

static int call_clock_gettime(int clock, struct timespec *time) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(CALL_CLOCK_GETTIME), "D"(clock), "S"(time)
                     : "rcx", "r11", "memory");
    return (int)result;
}

int __vdso_clock_gettime(int clock, struct timespec *time) {
    int (*host)(int, struct timespec *) = (void *)vdso_data.host_clock;
    if (host) return host(clock, time);
    return call_clock_gettime(clock, time);
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
