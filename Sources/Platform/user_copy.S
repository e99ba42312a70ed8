# Copies between kernel and program. Each instruction that may fault stands in the table with the
# place where the routine goes on after a fault.

.macro may_fault from, to
    .pushsection .rodata.user_copy, "a"
    .quad \from, \to
    .popsection
.endm

    .section .rodata.user_copy, "a"
    .balign 8
    .globl user_copy_fixups
user_copy_fixups:

    .text

    .globl user_copy
    .type user_copy, @function
user_copy:
    mov %rdx, %rcx
    cmp $16, %rdx
    jb 3f
    cmp $256, %rdx
    ja 2f
    # 16 to 256 bytes: words, then the rest.
    shr $3, %rcx
1:  mov (%rsi), %rax
11: mov %rax, (%rdi)
    add $8, %rsi
    add $8, %rdi
    dec %rcx
    jnz 1b
    mov %rdx, %rcx
    and $7, %ecx
    jmp 3f
2:  rep movsb
    mov %rcx, %rax
    ret
3:  test %rcx, %rcx
    jz 5f
4:  movzbl (%rsi), %eax
41: mov %al, (%rdi)
    inc %rsi
    inc %rdi
    dec %rcx
    jnz 4b
5:  xor %eax, %eax
    ret
6:  # A word faulted: %rcx words and the rest are missing.
    shl $3, %rcx
    and $7, %edx
    lea (%rcx, %rdx), %rax
    ret
7:  mov %rcx, %rax
    ret
    may_fault 1b, 6b
    may_fault 11b, 6b
    may_fault 2b, 7b
    may_fault 4b, 7b
    may_fault 41b, 7b

    .globl user_zero
    .type user_zero, @function
user_zero:
    mov %rsi, %rcx
    xor %eax, %eax
1:  rep stosb
2:  mov %rcx, %rax
    ret
    may_fault 1b, 2b

    .globl user_copy_string
    .type user_copy_string, @function
user_copy_string:
    xor %ecx, %ecx
1:  cmp %rdx, %rcx
    je 3f
2:  movzbl (%rsi, %rcx), %eax
    mov %al, (%rdi, %rcx)
    test %al, %al
    jz 3f
    inc %rcx
    jmp 1b
3:  mov %rcx, %rax
    ret
4:  mov $-1, %rax
    ret
    may_fault 2b, 4b

    .globl user_load_word
    .type user_load_word, @function
user_load_word:
1:  mov (%rdi), %eax
    mov %eax, (%rsi)
    xor %eax, %eax
    ret
    may_fault 1b, user_word_fault

    .globl user_exchange_word
    .type user_exchange_word, @function
user_exchange_word:
1:  xchg %esi, (%rdi)
    mov %esi, (%rdx)
    xor %eax, %eax
    ret
    may_fault 1b, user_word_fault

    .globl user_add_word
    .type user_add_word, @function
user_add_word:
1:  lock xadd %esi, (%rdi)
    mov %esi, (%rdx)
    xor %eax, %eax
    ret
    may_fault 1b, user_word_fault

    .globl user_compare_exchange_word
    .type user_compare_exchange_word, @function
user_compare_exchange_word:
    mov %esi, %eax
    mov %rdx, %r8
1:  lock cmpxchg %r8d, (%rdi)
    mov %eax, (%rcx)
    xor %eax, %eax
    ret
    may_fault 1b, user_word_fault

user_word_fault:
    mov $-1, %rax
    ret

    .section .rodata.user_copy, "a"
    .quad 0, 0

    .section .note.GNU-stack, "", @progbits
