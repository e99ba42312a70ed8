# The process world's entry, its door to the host, and the way out of its signal handlers.

#ifdef UNIRUN_GUEST

#include "cpu.h"
#include "entry.h"
#include "process.h"

    .text

    .globl process_entry
    .type process_entry, @function
process_entry:
    rdtsc
    shl $32, %rdx
    lea (%rax, %rdx), %rsi
    xor %ebp, %ebp
    mov %rsp, %rdi
    and $-16, %rsp
    call process_start

# Called by the host on the alternate stack with (number, information, context). It is left by
# iretq, which restores every register and needs no system call. A signal that arrives meanwhile is
# handled on the same stack below what is still needed here.
    .globl process_signal_entry
    .type process_signal_entry, @function
process_signal_entry:
    mov %rdx, %rbx
    and $-16, %rsp
    # The host clears DF, but leaves AC to the handler, whose code does not heed it.
    pushfq
    andl $~ALIGNMENT_FLAG, (%rsp)
    popfq
    xor %ebp, %ebp
    call process_signal
    mov HOST_CONTEXT_VECTOR_STATE(%rbx), %rcx
    mov $-1, %eax
    mov $-1, %edx
    xrstor64 (%rcx)
    # What came since process_signal looked was only noted. An interrupt in [process_leave,
    # process_leave_pops) starts again at process_leave; a later one does itself what is left to pop.
    .globl process_leave
process_leave:
    cmpl $0, %gs:CPU_PENDING
    jne 1f
2:  leave_interruption HOST_CONTEXT_REGISTERS(%rbx), process_leave_pops
    .globl process_leave_end
process_leave_end:
1:  mov %rbx, %rdi
    call process_signal_again
    jmp 2b

    .globl process_pass_turn
    .type process_pass_turn, @function
process_pass_turn:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov $(PARKING_STACK + PARKING_STACK_SIZE), %rsp
    xor %ebp, %ebp
    mov %rsi, %rdi
    mov %rdx, %rsi
    call process_park
    mov %rax, %rdi
    .globl process_continue
    .type process_continue, @function
process_continue:
    mov %rdi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

# The hypercall page: the filter lets the host be called from here and nowhere else.

.macro call_arguments
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
.endm

    .section .text.hypercall, "ax", @progbits
    .balign 4096
    .globl hypercall_page
hypercall_page:

    .globl hypercall
    .type hypercall, @function
hypercall:
    call_arguments
    syscall
    ret

    .globl hypercall_clone
    .type hypercall_clone, @function
hypercall_clone:
    mov %rdi, %rax
    mov %rsi, %rdi
    xor %esi, %esi
    xor %edx, %edx
    xor %r10d, %r10d
    xor %r8d, %r8d
    syscall
    .globl hypercall_cloned
hypercall_cloned:
    test %rax, %rax
    jz hypercall_joins
    ret
    .globl hypercall_joins
hypercall_joins:
    movabs $HOST_IDENTITY, %rcx
    mov HOST_IDENTITY_CHILD(%rcx), %rdx
    mov %rdx, (%rcx)
    .globl hypercall_joined
hypercall_joined:
    mov $(PARKING_STACK + PARKING_STACK_SIZE), %rsp
    xor %ebp, %ebp
    call process_join
    ud2

# An interrupt that comes after the comparison and before the host sleeps would be slept through:
# its handler moves a program counter in [begin, instruction] to `interrupted`.
    .globl hypercall_wait
    .type hypercall_wait, @function
hypercall_wait:
    call_arguments
    .globl hypercall_wait_begin
hypercall_wait_begin:
    cmpl $0, %gs:CPU_PENDING
    jne hypercall_wait_interrupted
    .globl hypercall_wait_instruction
hypercall_wait_instruction:
    syscall
    ret
    .globl hypercall_wait_interrupted
hypercall_wait_interrupted:
    mov $-4, %rax /* -EINTR */
    ret

    .balign 4096
    .globl hypercall_page_end
hypercall_page_end:

#endif

    .section .note.GNU-stack, "", @progbits
