#pragma once

/* Byte offsets into struct trap_frame, for assembly. */
#define TRAP_FRAME_R11 48
#define TRAP_FRAME_RAX 80
#define TRAP_FRAME_RCX 88
#define TRAP_FRAME_ORIGINAL_RAX 120
#define TRAP_FRAME_RIP 128
#define TRAP_FRAME_SIZE 168

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* A program's integer registers, in the order of Linux's pt_regs and user_regs_struct. It ends
 * as an interrupt frame does, so that iretq leaves through it in both worlds. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8;
    uint64_t rax, rcx, rdx, rsi, rdi;
    /* The number of the call under way, or NO_SYSTEM_CALL. */
    uint64_t original_rax;
    uint64_t rip, cs, rflags, rsp, ss;
};

#define NO_SYSTEM_CALL UINT64_MAX

_Static_assert(offsetof(struct trap_frame, r11) == TRAP_FRAME_R11, "");
_Static_assert(offsetof(struct trap_frame, rax) == TRAP_FRAME_RAX, "");
_Static_assert(offsetof(struct trap_frame, rcx) == TRAP_FRAME_RCX, "");
_Static_assert(offsetof(struct trap_frame, original_rax) == TRAP_FRAME_ORIGINAL_RAX, "");
_Static_assert(offsetof(struct trap_frame, rip) == TRAP_FRAME_RIP, "");
_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_SIZE, "");
#endif
