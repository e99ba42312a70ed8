#include "vector_state.h"

    .text

# Moves sixteen or eight registers between themselves and slots of \size bytes at \offset(%rdi).
.macro move_each direction, move, kind, first, count, offset, size
    .set slot, \offset
    .set register, \first
    .rept \count
    move_one \direction, \move, \kind, %register
    .set register, register + 1
    .set slot, slot + \size
    .endr
.endm

.altmacro
.macro move_one direction, move, kind, number
.ifc \direction, save
    \move %\kind\number, slot(%rdi)
.else
    \move slot(%rdi), %\kind\number
.endif
.endm

# What AVX and AVX-512 add, as far as it is in use. The lower registers are moved as a whole.
.macro move_extended direction
    test $VECTOR_UPPER, %esi
    jnz 1f
    test $VECTOR_AVX, %esi
    jz 2f
    move_each \direction, vmovaps, ymm, 0, 16, VECTOR_LOW_OFFSET, 64
    jmp 2f
1:  move_each \direction, vmovaps, zmm, 0, 16, VECTOR_LOW_OFFSET, 64
2:  test $(VECTOR_MASKS | VECTOR_HIGH), %esi
    jz 3f
    move_each \direction, vmovaps, zmm, 16, 16, VECTOR_HIGH_OFFSET, 64
    move_each \direction, kmovq, k, 0, 8, VECTOR_MASKS_OFFSET, 8
3:
.endm

# In: area %rdi, features %rsi.
    .globl vector_registers_save
    .type vector_registers_save, @function
    .balign 16
vector_registers_save:
    test $VECTOR_X87, %esi
    jz 1f
    fxsave64 (%rdi)
    jmp 2f
1:  stmxcsr VECTOR_FLAGS_OFFSET(%rdi)
    move_each save, movaps, xmm, 0, 16, VECTOR_SSE_OFFSET, 16
2:  test $VECTOR_KEYS, %esi
    jz 3f
    xor %ecx, %ecx
    rdpkru
    mov %eax, VECTOR_KEYS_OFFSET(%rdi)
3:  move_extended save
    ret

# In: area %rdi, features %rsi, an area that holds what is live of MXCSR and, if it is among the
# features %rcx, of x87 in %rdx.
    .globl vector_registers_restore
    .type vector_registers_restore, @function
    .balign 16
vector_registers_restore:
    test $VECTOR_X87, %esi
    jz 1f
    # Equal control words, status and tags, and no register full, no exception pending: nothing to
    # load. Registers that the program has popped hold nothing that it may rely on.
    test $VECTOR_X87, %ecx
    jz 4f
    mov (%rdi), %rax
    xor (%rdx), %rax
    shl $24, %rax
    jnz 4f
    cmpb $0, VECTOR_TAGS_OFFSET(%rdi)
    jne 4f
    testb $0x80, VECTOR_STATUS_OFFSET(%rdi)
    jnz 4f
1:  # Loading MXCSR or PKRU costs more than finding it unchanged.
    mov VECTOR_FLAGS_OFFSET(%rdx), %eax
    cmp %eax, VECTOR_FLAGS_OFFSET(%rdi)
    je 2f
    ldmxcsr VECTOR_FLAGS_OFFSET(%rdi)
2:  move_each restore, movaps, xmm, 0, 16, VECTOR_SSE_OFFSET, 16
3:  test $VECTOR_KEYS, %esi
    jz 5f
    xor %ecx, %ecx
    rdpkru
    cmp %eax, VECTOR_KEYS_OFFSET(%rdi)
    je 5f
    mov VECTOR_KEYS_OFFSET(%rdi), %eax
    wrpkru
    jmp 5f
4:  fxrstor64 (%rdi)
    jmp 3b
5:  move_extended restore
    ret

    .section .note.GNU-stack, "", @progbits
