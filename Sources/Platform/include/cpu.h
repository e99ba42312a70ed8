#pragma once

/* Byte offsets into struct cpu, for assembly; %gs points at it. */
#define CPU_SELF 0
#define CPU_KERNEL_STACK 8
#define CPU_USER_STACK 16
#define CPU_PENDING 24
#define CPU_THREAD 32
#define CPU_SCRATCH 48
#define CPU_CODE_SELECTOR 56
#define CPU_STACK_SELECTOR 64
#define CPU_KERNEL_FLAGS 72

/* What is to be done before the program runs on: bits of cpu.pending. */
#define CPU_PENDING_TIMER 1      /* the timer's deadline came */
#define CPU_PENDING_SIGNAL 2     /* a signal for the thread, or from outside */
#define CPU_PENDING_FRAMES 4     /* the network card has frames, or room for some again */
#define CPU_PENDING_DISKS 8      /* a disk may be done with a request */

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* What one processor has in hand. */
struct cpu {
    struct cpu *_Nonnull self;
    /* Top of the kernel stack of the thread that runs. */
    uint64_t kernel_stack;
    /* The program's stack pointer while the entry changes stacks. */
    uint64_t user_stack;
    /* CPU_PENDING_ bits. Set by interrupts. */
    volatile uint32_t pending;
    uint32_t unused;
    /* The Thread that runs, not retained. */
    void *_Nullable thread;
    /* Signals that came from outside, a bit each (1 << (n - 1)). Set by interrupts. */
    volatile uint64_t outside_signals;
    /* The entry's own, while it turns a call's words into a frame. */
    uint64_t scratch;
    /* What %cs and %ss hold while the program runs. */
    uint64_t code_selector, stack_selector;
    /* %rflags of the kernel's code. */
    uint64_t kernel_flags;
};

_Static_assert(offsetof(struct cpu, kernel_stack) == CPU_KERNEL_STACK, "");
_Static_assert(offsetof(struct cpu, user_stack) == CPU_USER_STACK, "");
_Static_assert(offsetof(struct cpu, pending) == CPU_PENDING, "");
_Static_assert(offsetof(struct cpu, thread) == CPU_THREAD, "");
/* HostSignal.wordOffset: unirun writes it too. */
_Static_assert(offsetof(struct cpu, outside_signals) == 40, "");
_Static_assert(offsetof(struct cpu, scratch) == CPU_SCRATCH, "");
_Static_assert(offsetof(struct cpu, code_selector) == CPU_CODE_SELECTOR, "");
_Static_assert(offsetof(struct cpu, stack_selector) == CPU_STACK_SELECTOR, "");
_Static_assert(offsetof(struct cpu, kernel_flags) == CPU_KERNEL_FLAGS, "");

extern struct cpu boot_cpu;

#ifdef UNIRUN_GUEST
static inline __attribute__((always_inline)) void *_Nullable cpu_current_thread(void) {
    void *thread;
    __asm__("mov %%gs:%c1, %0" : "=r"(thread) : "i"(CPU_THREAD));
    return thread;
}
#else
static inline __attribute__((always_inline)) void *_Nullable cpu_current_thread(void) {
    return boot_cpu.thread;
}
#endif

static inline __attribute__((always_inline)) struct cpu *_Nonnull cpu_current(void) {
    return &boot_cpu;
}

static inline __attribute__((always_inline)) void cpu_set_pending(uint32_t work) {
    __asm__ volatile("lock orl %1, %0" : "+m"(boot_cpu.pending) : "ri"(work) : "memory");
}

/* Takes and clears what is pending. */
static inline __attribute__((always_inline)) uint32_t cpu_take_pending(void) {
    uint32_t work = 0;
    __asm__ volatile("xchgl %0, %1" : "+r"(work), "+m"(boot_cpu.pending) : : "memory");
    return work;
}

static inline __attribute__((always_inline)) void cpu_add_outside_signals(uint64_t signals) {
    __asm__ volatile("lock orq %1, %0" : "+m"(boot_cpu.outside_signals) : "r"(signals) : "memory");
}

/* Takes and clears the signals that came from outside. */
static inline __attribute__((always_inline)) uint64_t cpu_take_outside_signals(void) {
    uint64_t signals = 0;
    __asm__ volatile("xchgq %0, %1" : "+r"(signals), "+m"(boot_cpu.outside_signals) : : "memory");
    return signals;
}
#endif
