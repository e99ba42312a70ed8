#pragma once

/* What the process world needs that Swift cannot say: system calls of the host from one page, and
 * leaving a signal handler without a system call. */

#define HOST_CONTEXT_REGISTERS 40
#define HOST_CONTEXT_VECTOR_STATE 224

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

#include "entry.h"

/* A system call of the host, from the only page that the filter lets make any. */
int64_t hypercall(uint64_t number, uint64_t first, uint64_t second, uint64_t third, uint64_t fourth,
                  uint64_t fifth, uint64_t sixth);
/* The same for a call that sleeps: -EINTR when something is pending already. */
int64_t hypercall_wait(uint64_t number, uint64_t first, uint64_t second, uint64_t third,
                       uint64_t fourth, uint64_t fifth, uint64_t sixth);

/* Addresses of places in the code that Swift cannot name. */
struct code_places {
    uint64_t process_signal_entry;
    uint64_t hypercall_page;
    uint64_t hypercall_wait_begin, hypercall_wait_instruction, hypercall_wait_interrupted;
};
extern const struct code_places code_places;

/* The host's struct ucontext, as far as the handler looks at it. */
struct host_context {
    uint64_t flags;
    void *_Nullable link;
    uint64_t stack[3];
    struct interrupt_registers registers;
    uint64_t vector, mask, fault_address;
    void *_Nullable vector_state;
};

_Static_assert(offsetof(struct host_context, registers) == HOST_CONTEXT_REGISTERS, "");
_Static_assert(offsetof(struct host_context, vector_state) == HOST_CONTEXT_VECTOR_STATE, "");

/* The host's siginfo_t, as far as the handler looks at it. */
struct host_signal_information {
    int32_t number, error, code, padding;
    union {
        struct {
            int32_t sender, user;
        };
        uint64_t address;
    };
};

/* The handler of all signals that the host sends; its sa_handler. */
void process_signal_entry(void);

/* Decides what becomes of a signal, by changing the registers that it goes back to. */
void process_signal(int32_t number, const struct host_signal_information *_Nonnull information,
                    struct host_context *_Nonnull context);

/* Where Linux starts the image as a process: calls process_start with the initial stack and what
 * cycle_counter() told first of all. */
void process_entry(void);
void process_start(const uint64_t *_Nonnull stack, uint64_t cycles);

struct boot_information;
/* The one boot_information of the process world, all zero at first. */
struct boot_information *_Nonnull process_boot_information(void);

/* Calls the host's vDSO function `function`(clock, time). */
static inline int64_t call_host_clock(uint64_t function, int64_t clock, int64_t *_Nonnull time) {
    return ((int (*)(int, int64_t *))function)((int)clock, time);
}

static inline uint64_t enabled_vector_features(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}

static inline void selectors_read(uint64_t *_Nonnull code, uint64_t *_Nonnull stack) {
    __asm__("mov %%cs, %0\n\tmov %%ss, %1" : "=r"(*code), "=r"(*stack));
}

#endif
