/* Access to what a device sees or answers for: each load and store happens once, as wide as it says,
 * in the order of the program. */
#pragma once

#include <stdint.h>

#define DEVICE_ACCESS(bits)                                                                        \
    static inline uint##bits##_t device_load##bits(const void *_Nonnull address) {                 \
        return *(const volatile uint##bits##_t *)address;                                          \
    }                                                                                              \
    static inline void device_store##bits(void *_Nonnull address, uint##bits##_t value) {          \
        *(volatile uint##bits##_t *)address = value;                                               \
    }
DEVICE_ACCESS(8)
DEVICE_ACCESS(16)
DEVICE_ACCESS(32)
DEVICE_ACCESS(64)
#undef DEVICE_ACCESS

/* What was loaded before is older than what is loaded and stored after. */
static inline void device_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
/* What was stored before is seen before what is stored after. */
static inline void device_fence_release(void) { __atomic_thread_fence(__ATOMIC_RELEASE); }
/* Also: what was stored before is seen before anything is loaded after. */
static inline void device_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
