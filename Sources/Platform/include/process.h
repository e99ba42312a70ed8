#pragma once

/* What the process world needs that Swift cannot say: system calls of the host from one page, and
 * leaving a signal handler without a system call. */

#define HOST_CONTEXT_REGISTERS 40
#define HOST_CONTEXT_VECTOR_STATE 224

/* Where a host process that has not the turn stands, on a stack of its own. */
#define PARKING_STACK 0x7ea300000000
#define PARKING_STACK_SIZE 0x8000
/* Where a host process has its struct host_identity: above the signal stack, which no other has. */
#define HOST_IDENTITY 0x7ea10000ffc0
#define HOST_IDENTITY_CHILD 8

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

/* clone(2) without a stack: returns in the parent as hypercall, the child goes to process_join on the
 * parking stack. The kernel's stack, which both have, is the parent's. */
int64_t hypercall_clone(uint64_t number, uint64_t flags);
void process_join(void) __attribute__((noreturn));

/* Saves the registers that a call preserves and the stack pointer at `save`, and calls process_park with
 * the others on the parking stack; goes on with the stack pointer that it returns. */
void process_pass_turn(uint64_t *_Nonnull save, uint64_t target, const uint64_t *_Nonnull load);
uint64_t process_park(uint64_t target, const uint64_t *_Nonnull load);
/* The other half of it, for a process that never saved anything. */
void process_continue(uint64_t stack_pointer) __attribute__((noreturn));

/* What a host process knows of itself, in memory that no other has. */
struct host_identity {
    /* Its number, which is that of its address space. */
    uint64_t number;
    /* That of the copy that it makes. */
    uint64_t child;
    /* The copy is to begin without the program of the one that it is a copy of. */
    uint64_t begins_empty;
    /* Its timer's interrupt came while another had the turn. */
    volatile uint64_t missed_interrupt;
};

_Static_assert(offsetof(struct host_identity, child) == HOST_IDENTITY_CHILD, "");

#define HOST_PROCESS_LIMIT 4096

enum host_process_state {
    HOST_PROCESS_FREE = 0,
    HOST_PROCESS_USED = 1,
    /* Waits to be used for another address space. */
    HOST_PROCESS_PARKED = 2,
};

/* What all host processes of the instance know, in memory that they share. */
struct host_processes {
    /* Who runs. */
    uint32_t turn;
    /* The kernel's variables are shared. */
    uint32_t is_shared;
    /* The instance ends, with this status. */
    uint32_t ends;
    int32_t status;
    uint32_t parked_count;
    /* The stack pointer to go on with. */
    const uint64_t *_Nullable load;
    /* By number: 1 while it sleeps. */
    uint32_t sleeps[HOST_PROCESS_LIMIT];
    uint8_t states[HOST_PROCESS_LIMIT];
    /* By number: 1 while it shows an address space that was given up. */
    uint8_t is_stale[HOST_PROCESS_LIMIT];
};
extern struct host_processes host_processes;
/* Elements of its arrays, which are too large for Swift to see as such. */
static inline uint32_t *_Nonnull process_sleep_word(uint64_t number) {
    return &host_processes.sleeps[number % HOST_PROCESS_LIMIT];
}
static inline uint8_t *_Nonnull process_state(uint64_t number) {
    return &host_processes.states[number % HOST_PROCESS_LIMIT];
}
static inline uint8_t *_Nonnull process_is_stale(uint64_t number) {
    return &host_processes.is_stale[number % HOST_PROCESS_LIMIT];
}

static inline void spin_pause(void) { __builtin_ia32_pause(); }
static inline void store_shared(uint32_t *_Nonnull word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}
static inline uint32_t load_shared(const uint32_t *_Nonnull word) {
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}
static inline uint32_t exchange_shared(uint32_t *_Nonnull word, uint32_t value) {
    return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST);
}

/* Addresses of places in the code that Swift cannot name. */
struct code_places {
    uint64_t process_signal_entry;
    uint64_t process_leave, process_leave_pops, process_leave_end;
    uint64_t hypercall_page;
    uint64_t variables; /* the image's, the first page of them the processor's */
    /* Between them a copy is not told yet that it is one. */
    uint64_t hypercall_cloned, hypercall_joins, hypercall_joined;
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

/* Looks once more at what is pending, after process_signal. */
void process_signal_again(struct host_context *_Nonnull context);

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
