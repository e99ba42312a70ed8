#pragma once

#include <stdint.h>

/* How often the platform called its host, by the host's number of the call, for --stats. */
#define HOST_CALL_LIMIT 512
extern uint32_t host_call_counts[HOST_CALL_LIMIT];

static inline __attribute__((always_inline)) void count_host_call(uint64_t number) {
    host_call_counts[number & (HOST_CALL_LIMIT - 1)]++;
}

static inline uint32_t host_call_count(uint64_t number) {
    return host_call_counts[number & (HOST_CALL_LIMIT - 1)];
}
