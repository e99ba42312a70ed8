# The image's entry for machines: what boot loaders look for, and where they jump to.

#ifdef UNIRUN_GUEST

#include "machine.h"

/* What an entry for a lower table says of all below it: nothing. */
#define PAGE_TABLE (PAGE_PRESENT + PAGE_WRITABLE + PAGE_USER)

#define PHYSICAL(address) ((address) - IMAGE + IMAGE_PHYSICAL)

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

    # Both loaders jump here in 32-bit mode without paging, with the address of what they tell in
    # %ebx. Builds page tables and goes to 64 bits and to where the image is linked.
    .section .text.boot, "ax", @progbits
    .code32
    .globl machine_entry
machine_entry:
    cli
    cld
    mov $PHYSICAL(boot_stack_end), %esp
    mov %eax, %ebp
    # Tables of 4 KiB pages for the image: the loader's addresses are not aligned for larger ones.
    mov $PHYSICAL(image_start), %eax
    or $(PAGE_PRESENT | PAGE_WRITABLE), %eax
    mov $PHYSICAL(image_tables), %edi
1:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $8, %edi
    add $4096, %eax
    cmp $PHYSICAL(image_end), %eax
    jb 1b
    # The image's gigabyte: its tables, of 2 MiB each.
    mov $(PHYSICAL(image_tables) + PAGE_TABLE), %eax
    mov $(PHYSICAL(image_directory) + 8 * ((IMAGE >> 21) & 511)), %edi
    mov $IMAGE_TABLES, %ecx
2:  mov %eax, (%edi)
    add $4096, %eax
    add $8, %edi
    loop 2b
    movl $(PHYSICAL(image_directory) + PAGE_TABLE), \
        PHYSICAL(low_pointers) + 8 * (IMAGE >> 30)
    # This code where it lies, until it has jumped.
    movl $(PAGE_PRESENT | PAGE_WRITABLE | PAGE_LARGE), PHYSICAL(boot_directory)
    movl $(PHYSICAL(boot_directory) + PAGE_TABLE), PHYSICAL(low_pointers)
    # The first 4 GiB of physical memory at DIRECT_MAP: kernel data.
    mov $(PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER | PAGE_LARGE), %eax
    mov $PHYSICAL(direct_directories), %edi
    mov $(4 * 512), %ecx
3:  mov %eax, (%edi)
    movl $(PAGE_NO_EXECUTE >> 32), 4(%edi)
    add $0x200000, %eax
    add $8, %edi
    loop 3b
    mov $(PHYSICAL(direct_directories) + PAGE_TABLE), %eax
    mov $PHYSICAL(direct_pointers), %edi
    mov $4, %ecx
4:  mov %eax, (%edi)
    add $4096, %eax
    add $8, %edi
    loop 4b
    movl $(PHYSICAL(low_pointers) + PAGE_TABLE), PHYSICAL(root_table)
    movl $(PHYSICAL(direct_pointers) + PAGE_TABLE), \
        PHYSICAL(root_table) + 8 * DIRECT_MAP_SLOT

    mov $PHYSICAL(root_table), %eax
    mov %eax, %cr3
    mov %cr4, %eax
    or $CR4_PHYSICAL_ADDRESS_EXTENSION, %eax
    mov %eax, %cr4
    mov $MSR_EXTENDED_FEATURES, %ecx
    rdmsr
    or $(EXTENDED_LONG_MODE | EXTENDED_NO_EXECUTE | EXTENDED_SYSTEM_CALL), %eax
    wrmsr
    mov %cr0, %eax
    and $~CR0_EMULATION, %eax
    or $(CR0_PAGING | CR0_WRITE_PROTECT | CR0_MONITOR), %eax
    mov %eax, %cr0
    lgdt PHYSICAL(boot_descriptors_pointer)
    ljmp $MACHINE_CODE_SELECTOR, $PHYSICAL(5f)

    .code64
5:  movabs $machine_start_64, %rax
    jmp *%rax

    .balign 8
boot_descriptors:
    .quad 0
    .quad 0x00af9a000000ffff /* 64-bit code, ring 0 */
    .quad 0x00cf92000000ffff /* data, ring 0 */
boot_descriptors_pointer:
    .short boot_descriptors_pointer - boot_descriptors - 1
    .long PHYSICAL(boot_descriptors)

    .text
machine_start_64:
    mov $MACHINE_STACK_SELECTOR, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    movabs $boot_stack_end, %rsp
    # Nothing of the program's will ever lie at 0.
    movq $0, low_pointers
    mov %cr3, %rax
    mov %rax, %cr3
    mov %ebp, %edi
    mov %ebx, %esi
    xor %ebp, %ebp
    call machine_start
    ud2

    .bss
    .balign 4096
    .globl root_table, image_tables, boot_stack_guard
root_table:
    .skip 4096
low_pointers:
    .skip 4096
boot_directory:
    .skip 4096
image_directory:
    .skip 4096
image_tables:
    .skip 4096 * IMAGE_TABLES
direct_pointers:
    .skip 4096
direct_directories:
    .skip 4096 * 4
    # Never present: the stack above may not grow into what lies below.
boot_stack_guard:
    .skip 4096
    .skip 128 << 10
boot_stack_end:

#endif

    .section .note.GNU-stack, "", @progbits
