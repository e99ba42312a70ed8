# Reference counts without locked instructions, in place of the Embedded Swift runtime's (whose
# symbols are weak): only the holder of the kernel touches kernel objects (docs/adr/0007).
#
# An object's second word is its count. The bits below the sign are all ones in an object that
# lives for ever; the sign bit tells that its memory is not to be freed.

#ifdef UNIRUN_GUEST

#define COUNT 8
#define DESTROY 8

    .text

# In: object %rdi, number %rsi. Jumps to \none when there is nothing to count; else leaves the
# count in %rcx.
.macro load_count none
    test %rdi, %rdi
    jle \none
    mov COUNT(%rdi), %rcx
    lea 2(%rcx, %rcx), %rdx
    test %rdx, %rdx
    jz \none
.endm

    .globl swift_retain
    .type swift_retain, @function
    .balign 16
swift_retain:
    mov %rdi, %rax
    load_count 1f
    inc %rcx
    mov %rcx, COUNT(%rdi)
1:  ret

    .globl swift_retain_n
    .type swift_retain_n, @function
    .balign 16
swift_retain_n:
    mov %rdi, %rax
    load_count 1f
    mov %esi, %esi
    add %rsi, %rcx
    mov %rcx, COUNT(%rdi)
1:  ret

    .globl swift_release
    .type swift_release, @function
    .balign 16
swift_release:
    load_count 1f
    dec %rcx
    lea (%rcx, %rcx), %rdx
    test %rdx, %rdx
    jz last_release
    mov %rcx, COUNT(%rdi)
1:  ret

    .globl swift_release_n
    .type swift_release_n, @function
    .balign 16
swift_release_n:
    load_count 1f
    mov %esi, %esi
    sub %rsi, %rcx
    lea (%rcx, %rcx), %rdx
    test %rdx, %rdx
    jz last_release
    mov %rcx, COUNT(%rdi)
1:  ret

# The object is destroyed; retains and releases meanwhile do nothing. The metadata's second word
# is the function that destroys it, which takes it in the context register.
last_release:
    mov $0x7fffffffffffffff, %rdx
    or %rdx, %rcx
    mov %rcx, COUNT(%rdi)
    mov (%rdi), %rax
    push %r13
    mov %rdi, %r13
    call *DESTROY(%rax)
    pop %r13
    ret

#endif

    .section .note.GNU-stack, "", @progbits
