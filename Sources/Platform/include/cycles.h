#pragma once

#include <stdint.h>

/* A counter that grows with time, cheaply read and not comparable with any clock. */
static inline __attribute__((always_inline)) uint64_t cycle_counter(void) {
    return __builtin_ia32_rdtsc();
}
