#pragma once

/* Numbers below this are looked up in system_call_table; the rest are unknown. */
#define SYSTEM_CALL_COUNT 512

/* AC, NT, IOPL, DF, TF: not as the kernel's code needs them. */
#define ODD_FLAGS 0x47500

/* Sites whose caught calls go on behind them, by the low bits of that address: a machine need not ask
 * kernel_caught_call about them. */
#define PLAIN_SITES 128

/* Of these, AC is the kernel's own where kernel data is guarded from the program: see machine_patch. */
#define ALIGNMENT_FLAG 0x40000
#define TRAP_FLAG 0x100

#ifdef __ASSEMBLER__
/* The last bytes before this are replaced when a machine starts that guards kernel data: what is done
 * to AC has no place in a process. One entry of machine_patches; at most eight bytes. */
.macro machine_patch length, bytes
    .Lpatched_\@:
    .pushsection .rodata.machine_patches, "a"
    .quad .Lpatched_\@ - \length, \length, \bytes
    .popsection
.endm

/* Room for `stac`, from which on kernel data may be used, and for `clac`. */
.macro open_kernel
    .nops 3
    machine_patch 3, 0xcb010f
.endm
.macro close_kernel
    .nops 3
    machine_patch 3, 0xca010f
.endm

/* The words of a system call below its number and flags, for a program that is on CPU_USER_STACK and
 * goes on at %rcx. */
.macro push_call
    pushq %gs:CPU_USER_STACK
    push %rcx
    push %rdi
    push %rsi
    push %rdx
    push %r10
    push %r8
    push %r9
.endm

/* The way out of an interruption: struct interrupt_registers at \registers after
 * Interruption.prepareLeave. */
.macro leave_interruption registers, pops
    lea \registers, %rsp
.ifnb \pops
    .globl \pops
\pops:
.endif
    pop %r8
    pop %r9
    pop %r10
    pop %r11
    pop %r12
    pop %r13
    pop %r14
    pop %r15
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rax
    pop %rcx
    iretq
.endm
#else
#include <stdint.h>

#include "trap_frame.h"

/* Where rewritten and caught system calls arrive, with the number in %rax, the arguments in their
 * registers and the address to go back to in %rcx; on the program's stack, which it leaves alone. */
void system_call_entry(void);
uint64_t system_call_entry_address(void);

/* The same for sites behind which nobody looks at the flags that computation leaves: it loses them. */
void system_call_entry_brief(void);
uint64_t system_call_entry_brief_address(void);

/* As above for a program that single-steps: with the trap flag clear and the program's flags in
 * %r11. Up to where they have begun the others have changed no register but %r11. */
void system_call_entry_stepped(void);

/* An entry of the table for calls whose handler works on the whole register frame. */
void system_call_with_frame(void);

/* Leaves to the program through the trap frame at the top of the current thread's kernel stack,
 * after what is pending. Never called: jumped to, or the first return address of a new thread. */
void frame_return(void);

/* Places in the code of the entry that Swift cannot name. */
struct entry_places {
    uint64_t image, image_end;
    /* A step of a single-stepping program in [system_call_entry, begun] goes on at `stepped`. */
    uint64_t system_call_entry, system_call_entry_begun, system_call_entry_stepped;
    uint64_t system_call_entry_brief, system_call_entry_brief_begun;
    /* An interrupt in [leave, leave_end) goes back to `return`: entry.S. */
    uint64_t system_call_return, system_call_leave, system_call_leave_result,
        system_call_leave_end;
    uint64_t system_call_brief_leave, system_call_brief_leave_end;
    /* An interrupt in [leave, leave_end) goes back to frame_return. */
    uint64_t frame_return, frame_leave, frame_leave_end;
    uint64_t kernel_exception;
};
extern const struct entry_places entry_places;

/* What an exception or interrupt found in the registers, in the order of Linux's struct sigcontext.
 * Before the way out, rsp … error become what iretq pops. */
struct interrupt_registers {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx;
    uint64_t rsp, rip, rflags, selectors, error;
};

/* Handlers by number; kernel addresses, set before the first program runs. */
extern uint64_t system_call_table[SYSTEM_CALL_COUNT];

typedef intptr_t system_call_handler(uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                                     uintptr_t);
void system_call_table_set(uint64_t number, system_call_handler *_Nonnull handler);
/* Gives all numbers the same handler. */
void system_call_table_fill(system_call_handler *_Nonnull handler);
/* The call goes to kernel_frame_call. */
void system_call_table_set_frame(uint64_t number);

/* Where the shim finds the row of a number; 0 for none. */
extern uint16_t system_call_places[SYSTEM_CALL_COUNT];
static inline uint16_t system_call_place(uint64_t number) { return system_call_places[number]; }
static inline void system_call_set_place(uint64_t number, uint16_t place) {
    system_call_places[number] = place;
}

/* The number of the call under way, seen from its handler, on the current thread. */
static inline uint64_t system_call_number(uint64_t kernel_stack) {
    return *(const uint64_t *)(kernel_stack - 8);
}

/* What the shim offers the entry. */

/* A call of a number that the table does not hold; returns what goes to %rax. */
int64_t kernel_unknown_call(uint64_t number);
/* A call whose handler works on the frame. */
void kernel_frame_call(struct trap_frame *_Nonnull frame);
/* Does what is pending before the program runs on. */
void kernel_work(struct trap_frame *_Nonnull frame);
/* A fault of the program. `error` is the page-fault error code, `address` the faulting address. */
void kernel_exception(struct trap_frame *_Nonnull frame, uint64_t vector, uint64_t address,
                      uint64_t error);
/* Addresses behind sites that stay as they are, or zero; kept by the shim. */
extern uint64_t plain_sites[PLAIN_SITES];
static inline void plain_sites_add(uint64_t behind) { plain_sites[behind % PLAIN_SITES] = behind; }
static inline void plain_sites_clear(void) {
    for (unsigned each = 0; each < PLAIN_SITES; each++) plain_sites[each] = 0;
}

/* A `syscall` instruction at `site` was caught: makes a jump of it if it can, and tells where the
 * call returns to. On a small stack. */
uint64_t kernel_caught_call(uint64_t site, uint64_t number);
/* Where the program goes on when it ran into a breakpoint at `address` that the rewriter left;
 * 0 when the breakpoint is the program's own. */
uint64_t kernel_breakpoint(uint64_t address);
/* A program that single-steps arrived at `address`: whether it has executed an instruction of its
 * own since the last time, and not only a part of the way into the kernel. */
uint64_t kernel_step(uint64_t address);
/* A fault of the kernel on the program's memory: whether it was resolved. On a small stack. */
uint64_t kernel_user_fault(uint64_t address, uint64_t error);

enum exception_vector {
    VECTOR_DIVIDE = 0,
    VECTOR_DEBUG = 1,
    VECTOR_BREAKPOINT = 3,
    VECTOR_OVERFLOW = 4,
    VECTOR_INVALID_OPCODE = 6,
    VECTOR_STACK = 12,
    VECTOR_GENERAL_PROTECTION = 13,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_FLOATING_POINT = 16,
    VECTOR_ALIGNMENT = 17,
    VECTOR_SIMD = 19,
};

/* Bits of a page fault's error code. */
enum page_fault_error {
    PAGE_FAULT_PRESENT = 1,
    PAGE_FAULT_WRITE = 2,
    PAGE_FAULT_USER = 4,
    PAGE_FAULT_FETCH = 16,
    /* Not the processor's: the page lies beyond the end of its file (SIGBUS on the host). */
    PAGE_FAULT_BEYOND_FILE = 1 << 16,
    /* Not the processor's either: the page may be had, but there is no memory left for it. */
    PAGE_FAULT_OUT_OF_MEMORY = 1 << 17,
};
#endif
