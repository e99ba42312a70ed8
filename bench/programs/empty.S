# A guest that does nothing: what QEMU and its firmware need before any kernel's first instruction.
    .section .note.pvh, "a", @note
    .long 4, 8, 18
    .asciz "Xen"
    .long start, 0

    .text
    .code32
    .globl start
start:
    .byte 0x0f, 0x1f, 0x80
    .short 0, 0xb1ba
    mov $0xf4, %edx
    xor %eax, %eax
    out %eax, %dx
    hlt

    .section .note.GNU-stack, "", @progbits
