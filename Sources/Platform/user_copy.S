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
    cmp $8, %rdx
    jb 4f
    cmp $256, %rdx
    ja 5f
    # 8 to 256 bytes: four words at a time, then one, then the last bytes by a word that overlaps.
1:  cmp $32, %rdx
    jb 2f
10: mov (%rsi), %rax
11: mov 8(%rsi), %rcx
12: mov 16(%rsi), %r8
13: mov 24(%rsi), %r9
14: mov %rax, (%rdi)
15: mov %rcx, 8(%rdi)
16: mov %r8, 16(%rdi)
17: mov %r9, 24(%rdi)
    add $32, %rsi
    add $32, %rdi
    sub $32, %rdx
    jmp 1b
2:  cmp $8, %rdx
    jb 3f
20: mov (%rsi), %rax
21: mov %rax, (%rdi)
    add $8, %rsi
    add $8, %rdi
    sub $8, %rdx
    jmp 2b
3:  test %rdx, %rdx
    jz 9f
30: mov -8(%rsi, %rdx), %rax
31: mov %rax, -8(%rdi, %rdx)
    jmp 9f
4:  test %rdx, %rdx
    jz 9f
40: movzbl (%rsi), %eax
41: mov %al, (%rdi)
    inc %rsi
    inc %rdi
    dec %rdx
    jmp 4b
    # By words as long as there are any, the rest by bytes; also what is left when a word faulted, so
    # that all before the fault is copied.
5:  mov %rdx, %rcx
    shr $3, %rcx
    and $7, %edx
50: rep movsq
    mov %edx, %ecx
    test %ecx, %ecx
    jz 9f
51: rep movsb
    mov %rcx, %rax
    ret
8:  lea (%rdx, %rcx, 8), %rcx
    jmp 51b
6:  mov %rcx, %rax
    ret
7:  mov %rdx, %rax
    ret
9:  xor %eax, %eax
    ret
    .irp word, 10, 11, 12, 13, 14, 15, 16, 17, 20, 21, 30, 31
    may_fault \word\()b, 5b
    .endr
    may_fault 40b, 7b
    may_fault 41b, 7b
    may_fault 50b, 8b
    may_fault 51b, 6b

    .globl user_zero
    .type user_zero, @function
user_zero:
    mov %rsi, %rcx
    shr $3, %rcx
    and $7, %esi
    xor %eax, %eax
1:  rep stosq
    mov %esi, %ecx
2:  rep stosb
3:  mov %rcx, %rax
    ret
4:  lea (%rsi, %rcx, 8), %rcx
    jmp 2b
    may_fault 1b, 4b
    may_fault 2b, 3b

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
