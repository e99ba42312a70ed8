#pragma once

#include <stdint.h>

/* What the kernel tells the vDSO, on the page behind it. */
struct vdso_data {
    /* A function int (clock, struct timespec *) that the program may call for the time; zero:
     * make the system call. */
    uint64_t host_clock;
};
