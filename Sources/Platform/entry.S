# The way into the kernel and out of it, in both worlds.
#
# A system call keeps, from the top of the thread's kernel stack downwards:
#   number, flags, program's %rsp, return address, %rdi, %rsi, %rdx, %r10, %r8, %r9
# The handler's own prologue saves the registers that a function must preserve. Where a whole
# struct trap_frame is needed (signals, clone, a switch by the timer) it replaces these words.

#ifdef UNIRUN_GUEST

#include "cpu.h"
#include "entry.h"
#include "trap_frame.h"

#define OVERFLOW_FLAG 0x800
#define SYSTEM_CALL_WORDS 80
#define ENOSYS 38

    .text

# The way in: words on the stack, kernel data open, and the handler called. \begun is where the first
# instruction has been executed.
.macro enter_system_call begun
    # %r11 is free: the instruction itself loses it.
    mov %rsp, %r11
    .globl \begun
\begun:
    open_kernel
    mov %gs:CPU_KERNEL_STACK, %rsp
    push %rax
    pushfq
    push %r11
    push %rcx
    push %rdi
    push %rsi
    push %rdx
    push %r10
    push %r8
    push %r9
.endm

# Calls the handler, with the words on the stack.
.macro call_handler
    testl $ODD_FLAGS, 64(%rsp)
    machine_patch 4, ODD_FLAGS - ALIGNMENT_FLAG
    jnz odd_flags
    mov %r10, %rcx
    cmp $SYSTEM_CALL_COUNT, %rax
    jae unusual_number
    call *system_call_table(, %rax, 8)
.endm

.macro pop_arguments
    pop %r9
    pop %r8
    pop %r10
    pop %rdx
    pop %rsi
    pop %rdi
.endm

# Leaves to the program, with what lies above the arguments on the stack.
.macro leave_system_call
    pop %rcx
    mov 8(%rsp), %r11
    mov (%rsp), %rsp
    close_kernel
    jmp *%rcx
.endm

    .globl system_call_entry
    .type system_call_entry, @function
    .balign 64
system_call_entry:
    enter_system_call system_call_entry_begun
    # A machine's caught calls join here, with their words on the stack.
    .globl system_call_with_words
system_call_with_words:
    call_handler

    # The program goes on from here by two ways: at once, or after what is pending. An interrupt
    # between the comparison and the jump must not be forgotten: its handler sees that it came in
    # [system_call_leave, system_call_leave_end) and starts again at system_call_return, with the
    # stack as it was: the words below %rsp are still there, and the result is in %r11 up to
    # system_call_leave_result.
    .globl system_call_return
system_call_return:
    cmpl $0, %gs:CPU_PENDING
    jne system_call_work
    mov %rax, %r11
    .globl system_call_leave
system_call_leave:
    pop_arguments
    # The flags that a computation leaves are the program's; popfq would cost more than the call.
    # Of the second byte none but the interrupt and the overflow flag can be set: the difference
    # overflows with the latter only.
    cmpb $(-0x80 + (OVERFLOW_FLAG >> 8)), 17(%rsp)
    mov 16(%rsp), %ah
    sahf
    mov %r11, %rax
    .globl system_call_leave_result
system_call_leave_result:
    leave_system_call
    .globl system_call_leave_end
system_call_leave_end:

# As above for a site behind which the flags of computation are overwritten before they are used: they
# are not brought back. An interrupt in [leave, leave_end) starts again at system_call_return.
    .globl system_call_entry_brief
    .type system_call_entry_brief, @function
    .balign 64
system_call_entry_brief:
    enter_system_call system_call_entry_brief_begun
    call_handler
    cmpl $0, %gs:CPU_PENDING
    jne system_call_work
    .globl system_call_brief_leave
system_call_brief_leave:
    pop_arguments
    leave_system_call
    .globl system_call_brief_leave_end
system_call_brief_leave_end:

# The number is the lower half of the register, as on Linux.
unusual_number:
    mov %eax, %r11d
    cmp $SYSTEM_CALL_COUNT, %r11
    jae unknown_call
    call *system_call_table(, %r11, 8)
    jmp system_call_return

unknown_call:
    mov %rax, %rdi
    call kernel_unknown_call
    jmp system_call_return

odd_flags:
    # The kernel's code needs DF and TF clear, and interrupts on. They come back with the frame.
    pushq %gs:CPU_KERNEL_FLAGS
    popfq
call_with_odd_flags:
    mov %r10, %rcx
    mov %eax, %r11d
    cmp $SYSTEM_CALL_COUNT, %r11
    jae 1f
    call *system_call_table(, %r11, 8)
    jmp system_call_work
1:  mov %rax, %rdi
    call kernel_unknown_call
    jmp system_call_work

# The same for a program that single-steps, whose trap flag would stop every instruction here: the
# platform has cleared it, and the program's own flags are in %r11. They come back with the frame.
    .globl system_call_entry_stepped
    .type system_call_entry_stepped, @function
system_call_entry_stepped:
    mov %rsp, %gs:CPU_USER_STACK
    mov %gs:CPU_KERNEL_STACK, %rsp
    push %rax
    push %r11
    push_call
    jmp call_with_odd_flags

# Turns the words of a system call into a struct trap_frame; only %r11 is lost.
.macro build_frame
    pop_arguments
    pop %rcx
    popq %gs:CPU_USER_STACK
    pop %r11
    .nops 7
    machine_patch 7, 0xfffbffffe38141 /* and $~ALIGNMENT_FLAG, %r11d */
    popq %gs:CPU_SCRATCH
    pushq %gs:CPU_STACK_SELECTOR
    pushq %gs:CPU_USER_STACK
    push %r11
    pushq %gs:CPU_CODE_SELECTOR
    push %rcx
    pushq %gs:CPU_SCRATCH
    push %rdi
    push %rsi
    push %rdx
    push %rcx
    push %rax
    push %r8
    push %r9
    push %r10
    push %r11
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
.endm

system_call_work:
    build_frame
    mov %rsp, %rdi
    xor %ebp, %ebp
    and $-16, %rsp
    call kernel_work
    jmp frame_return

    .globl system_call_with_frame
    .type system_call_with_frame, @function
system_call_with_frame:
    add $8, %rsp
    build_frame
    mov %rsp, %rdi
    xor %ebp, %ebp
    and $-16, %rsp
    call kernel_frame_call

    .globl frame_return
    .type frame_return, @function
frame_return:
    mov %gs:CPU_KERNEL_STACK, %rsp
    sub $TRAP_FRAME_SIZE, %rsp
    cmpl $0, %gs:CPU_PENDING
    jne frame_work
    # As above: an interrupt in [frame_leave, frame_leave_end) starts again at frame_return.
    .globl frame_leave
frame_leave:
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rax
    pop %rcx
    pop %rdx
    pop %rsi
    pop %rdi
    add $8, %rsp
    iretq
    .globl frame_leave_end
frame_leave_end:

frame_work:
    mov %rsp, %rdi
    xor %ebp, %ebp
    and $-16, %rsp
    call kernel_work
    jmp frame_return

    .bss
    .balign 64
    .globl system_call_table
system_call_table:
    .skip 8 * SYSTEM_CALL_COUNT

#endif

    .section .note.GNU-stack, "", @progbits
