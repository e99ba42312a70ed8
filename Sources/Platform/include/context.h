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

static inline __attribute__((always_inline)) uint64_t thread_pointer_read(void) {
    uint64_t base;
    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

static inline __attribute__((always_inline)) void thread_pointer_write(uint64_t base) {
    __asm__ volatile("wrfsbase %0" : : "r"(base));
}
