# The image's entry for machines: what boot loaders look for, and where they jump to.

#ifdef UNIRUN_GUEST

#define PHYSICAL(address) ((address) - 0x70000000 + 0x00100000)

#define MULTIBOOT2_MAGIC 0xe85250d6
#define MULTIBOOT2_TAG_ENTRY 3

    # Multiboot2, section 3.1: magic, architecture, length, checksum, tags.
    .section .multiboot2, "a", @progbits
    .balign 8
multiboot2_header:
    .long MULTIBOOT2_MAGIC
    .long 0
    .long multiboot2_end - multiboot2_header
    .long -(MULTIBOOT2_MAGIC + (multiboot2_end - multiboot2_header))
    .balign 8
    .short MULTIBOOT2_TAG_ENTRY, 0
    .long 12
    .long PHYSICAL(machine_entry)
    .balign 8
    .short 0, 0
    .long 8
multiboot2_end:

    # XEN_ELFNOTE_PHYS32_ENTRY; QEMU reads the descriptor as 64 bits.
    .section .note.pvh, "a", @note
    .balign 4
    .long 4
    .long 8
    .long 18
    .asciz "Xen"
    .quad PHYSICAL(machine_entry)

    # This version has no machine platform: it says so on the first serial port and stops.
    .section .text.boot, "ax", @progbits
    .code32
    .globl machine_entry
machine_entry:
    mov $PHYSICAL(machine_message), %esi
1:  lodsb
    test %al, %al
    jz 3f
    mov %al, %cl
    mov $0x3fd, %edx
2:  inb %dx, %al
    test $0x20, %al
    jz 2b
    mov %cl, %al
    mov $0x3f8, %edx
    outb %al, %dx
    jmp 1b
3:  cli
    hlt
    jmp 3b
machine_message:
    .asciz "unirun: this kernel runs as a Linux process only: unirun PROGRAM\r\n"
    .code64

#endif

    .section .note.GNU-stack, "", @progbits
