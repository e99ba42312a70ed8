#pragma once

#include <stdint.h>

/* Saves the callee-saved registers on the current kernel stack, stores the stack pointer in
 * `*from` and goes on where the owner of the stack pointer `to` stopped. */
void context_switch(uint64_t *_Nonnull from, uint64_t to);

/* Where context_switch goes on for a new thread of the program: see entry.h. */
void frame_return(void);

/* Where it goes on for a new thread of the kernel: calls the function in %rbx, which never
 * returns. */
void kernel_thread_start(void);

/* Vector and floating-point state; `area` is 64-byte aligned and boot_information.xsave_size
 * long, zeroed before its first use. */
static inline void vector_state_save(void *_Nonnull area, uint64_t features) {
    /* XSTATE_BV: what is not saved is initial. */
    *(uint64_t *)((char *)area + 512) = 0;
    __asm__ volatile("xsaveopt64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)features), "d"((uint32_t)(features >> 32))
                     : "memory");
}

/* x87 and SSE: the control registers that go with them are not told by VECTOR_STATE in use. */
#define VECTOR_STATE_ALWAYS 3

/* The features (bits of XCR0) whose registers do not all hold their initial values: xgetbv with 1,
 * where the processor has that. */
static inline uint64_t vector_state_in_use(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
    return (((uint64_t)high << 32) | low) | VECTOR_STATE_ALWAYS;
}

/* As vector_state_save, but writes every component, for an area that others read as well. */
static inline void vector_state_save_all(void *_Nonnull area) {
    __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
}

static inline void vector_state_restore(const void *_Nonnull area, uint64_t features) {
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)features), "d"((uint32_t)(features >> 32))
                     : "memory");
}

static inline uint64_t thread_pointer_read(void) {
    uint64_t base;
    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

static inline void thread_pointer_write(uint64_t base) {
    __asm__ volatile("wrfsbase %0" : : "r"(base));
}
