    .text

    .globl context_switch
    .type context_switch, @function
context_switch:
    push %rbp
    push %rbx
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbx
    pop %rbp
    ret

    .globl kernel_thread_start
    .type kernel_thread_start, @function
kernel_thread_start:
    xor %ebp, %ebp
    and $-16, %rsp
    call *%rbx
    ud2

#ifndef UNIRUN_GUEST
    # Hosted tests have no program to go back to; the real one is in entry.S.
    .globl frame_return
    .type frame_return, @function
frame_return:
    ud2
#endif

    .section .note.GNU-stack, "", @progbits
