# The ways in from exceptions, interrupts and `syscall` in the machine world, and the way back.

#ifdef UNIRUN_GUEST

#include "cpu.h"
#include "entry.h"
#include "machine.h"

    .text

# The processor changed to an interrupt stack and pushed ss, rsp, rflags, cs, rip, and an error code
# for some vectors; the vector's own code pushes zero for the others, then its number.
.set vector, 0
.rept VECTOR_COUNT
    .balign 16
    vector_\+:
.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || \
        vector == 29 || vector == 30)
    push $0
.endif
    push $vector
    jmp any_vector
.set vector, vector + 1
.endr

# On the stack: number, error, rip, cs, rflags, rsp, ss. Lays struct interrupt_registers below them.
any_vector:
    cld
    sub $8 * 20, %rsp
    mov %r8, (%rsp)
    mov %r9, 8(%rsp)
    mov %r10, 16(%rsp)
    mov %r11, 24(%rsp)
    mov %r12, 32(%rsp)
    mov %r13, 40(%rsp)
    mov %r14, 48(%rsp)
    mov %r15, 56(%rsp)
    mov %rdi, 64(%rsp)
    mov %rsi, 72(%rsp)
    mov %rbp, 80(%rsp)
    mov %rbx, 88(%rsp)
    mov %rdx, 96(%rsp)
    mov %rax, 104(%rsp)
    mov %rcx, 112(%rsp)
    mov 160 + 40(%rsp), %rax
    mov %rax, 120(%rsp) /* rsp */
    mov 160 + 16(%rsp), %rax
    mov %rax, 128(%rsp) /* rip */
    mov 160 + 32(%rsp), %rax
    mov %rax, 136(%rsp) /* rflags */
    mov 160 + 24(%rsp), %rax
    mov %rax, 144(%rsp) /* selectors */
    mov 160 + 8(%rsp), %rax
    mov %rax, 152(%rsp) /* error */
    mov 160(%rsp), %rdi
    mov %rsp, %rsi
    mov %rsp, %rbx
    xor %ebp, %ebp
    # The interrupt stacks are not guarded; all else is.
    open_kernel
    call machine_interrupt
    leave_interruption (%rbx)

# A `syscall` that was not rewritten yet: it came from ring 0 and stays there, on the program's
# stack, with the address behind itself in %rcx and the flags in %r11. Interrupts are off.
    .globl machine_system_call
machine_system_call:
    open_kernel
    mov %rsp, %gs:CPU_USER_STACK
    mov %gs:CPU_KERNEL_STACK, %rsp
    # The words of a system call: entry.S.
    push %rax
    push %r11
    push_call
    mov %ecx, %r11d
    and $(PLAIN_SITES - 1), %r11d
    cmp %rcx, plain_sites(, %r11, 8)
    jne caught_call
    sti
    jmp system_call_with_words

caught_call:
    lea -2(%rcx), %rdi
    mov %eax, %esi
    call kernel_caught_call
    sti
    mov %rax, 48(%rsp)
    mov (%rsp), %r9
    mov 8(%rsp), %r8
    mov 16(%rsp), %r10
    mov 24(%rsp), %rdx
    mov 32(%rsp), %rsi
    mov 40(%rsp), %rdi
    mov 72(%rsp), %rax
    jmp system_call_with_words

# The code at %rdi runs as a program does, without access to kernel data, and with the trap flag.
    .globl machine_steps
machine_steps:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, steps_stack(%rip)
    pushfq
    andl $~ALIGNMENT_FLAG, (%rsp)
    orl $TRAP_FLAG, (%rsp)
    popfq
    jmp *%rdi
    .globl machine_steps_end
machine_steps_end:
    mov steps_stack(%rip), %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

    .bss
    .balign 8
steps_stack:
    .skip 8

    .section .rodata.machine_vectors, "a"
    .balign 8
    .globl machine_vectors
machine_vectors:
.set vector, 0
.rept VECTOR_COUNT
    .quad vector_\+
.set vector, vector + 1
.endr

#endif

    .section .note.GNU-stack, "", @progbits
