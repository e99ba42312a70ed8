#pragma once

#include <stdint.h>

/* What the kernel tells the vDSO, on the page behind it. */
struct vdso_data {
    /* A function int (clock, struct timespec *) that the program may call for the time, or zero. */
    uint64_t host_clock;
    /* Otherwise: nanoseconds of 2^32 cycles of the processor's counter, what it showed when the
     * monotonic clock was 0, and the realtime clock then. With a rate of zero the time is asked for by
     * the system call. */
    uint64_t rate, first_cycles, first_time;
};
