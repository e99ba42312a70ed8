/* What the machine world needs that Swift cannot say: control registers, descriptor tables, ports,
 * and the ways in from exceptions and interrupts. Numbers are those of the SDM, volume 3. */
#pragma once

/* Where the image is linked, and where loaders put it: kernel.ld. */
#define IMAGE 0x70000000
#define IMAGE_PHYSICAL 0x00100000
/* Page tables for the image: 2 MiB each. */
#define IMAGE_TABLES 4
/* Where all physical memory is mapped: above the program's part, and below the middle, for Swift's
 * runtime does not count what lies at a negative address. */
#define DIRECT_MAP 0x7e0000000000
#define DIRECT_MAP_SLOT 252
/* Where the memory that the kernel gives out is mapped in one piece, when it is in two: below and above
 * 4 GiB, of which the direct map shows the first. */
#define MEMORY_MAP 0x7e8000000000
#define MEMORY_MAP_SLOT 253

#define PAGE_PRESENT 0x1
#define PAGE_WRITABLE 0x2
#define PAGE_USER 0x4
#define PAGE_LARGE 0x80
#define PAGE_GLOBAL 0x100
#define PAGE_NO_EXECUTE 0x8000000000000000

#define CR0_MONITOR 0x2
#define CR0_EMULATION 0x4
#define CR0_WRITE_PROTECT 0x10000
#define CR0_PAGING 0x80000000
#define CR4_PHYSICAL_ADDRESS_EXTENSION 0x20

#define MSR_SYSTEM_CALL_MASK 0xc0000084
/* Flags that a `syscall` clears: IF, TF, DF, NT, AC. */
#define SYSTEM_CALL_MASK 0x44700

#define MSR_EXTENDED_FEATURES 0xc0000080
#define EXTENDED_SYSTEM_CALL 0x1
#define EXTENDED_LONG_MODE 0x100
#define EXTENDED_NO_EXECUTE 0x800

#define MACHINE_CODE_SELECTOR 0x08
#define MACHINE_STACK_SELECTOR 0x10
#define MACHINE_TASK_SELECTOR 0x18

/* Interrupt stacks, counted from 1 as the processor does. */
#define MACHINE_STACK_COMMON 1
#define MACHINE_STACK_NMI 2
#define MACHINE_STACK_DOUBLE_FAULT 3
#define MACHINE_STACK_MACHINE_CHECK 4
#define MACHINE_STACK_DEBUG 5
#define MACHINE_STACKS 5

/* Vectors from here on are interrupts. */
#define FIRST_INTERRUPT 32
#define VECTOR_COUNT 64

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

#include "entry.h"

/* The first code in 64 bits: what the loader left in %eax and %ebx. */
void machine_start(uint32_t magic, uint32_t information) __attribute__((noreturn));

/* Decides what becomes of an exception or interrupt, by changing the registers. */
void machine_interrupt(uint64_t vector, struct interrupt_registers *_Nonnull registers);

/* Addresses of the ways in, by vector. */
extern const uint64_t machine_vectors[VECTOR_COUNT];
/* Where a `syscall` instruction arrives: LSTAR. */
uint64_t machine_system_call_address(void);

/* Single-steps code at `start`, which changes any register, until a debug exception's handler goes on at
 * machine_steps_end, with the kernel's flags. */
void machine_steps(uint64_t start);
uint64_t machine_steps_end_address(void);

/* Page tables in the image: the top one, and those of the image's own pages. */
struct machine_tables {
    uint64_t root;
    uint64_t *_Nonnull image;
    /* Where the image's constants and variables begin, what of the variables the processor uses by
     * itself, and the page below the boot stack. */
    uint64_t constants, variables, processor, processor_end, boot_stack_guard;
};
extern const struct machine_tables machine_tables;

struct boot_information;
/* The one boot_information of the machine world, all zero at first. */
struct boot_information *_Nonnull machine_boot_information(void);

/* What KVM writes at the addresses that its clock's registers are given. */
struct kvm_system_time {
    uint32_t version, reserved;
    uint64_t cycles, nanoseconds;
    uint32_t multiplier;
    int8_t shift;
    uint8_t flags, padding[2];
};
struct kvm_wall_clock {
    uint32_t version, seconds, nanoseconds;
};
struct kvm_system_time *_Nonnull machine_kvm_system_time(void);
struct kvm_wall_clock *_Nonnull machine_kvm_wall_clock(void);

/* Loads the descriptor tables and interrupt stacks that machine.c holds. */
void machine_load_descriptors(void);

/* Instructions of the image that a machine replaces when it guards kernel data: entry.h. */
struct machine_patch {
    uint64_t place, length, bytes;
};
extern const struct machine_patch machine_patches[], machine_patches_end[];
/* Writes them, and opens kernel data for the caller. The image must be writable still. */
void machine_guard_kernel(void);

static inline void port_write8(uint16_t port, uint8_t value) {
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline void port_write16(uint16_t port, uint16_t value) {
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}
static inline void port_write32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
static inline uint8_t port_read8(uint16_t port) {
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint16_t port_read16(uint16_t port) {
    uint16_t value;
    __asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint32_t port_read32(uint16_t port) {
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline uint64_t machine_register_read(uint32_t number) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}
static inline void machine_register_write(uint32_t number, uint64_t value) {
    __asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

/* Random bits of the processor; zero when it has none to give. */
static inline uint64_t processor_random(void) {
    uint64_t value = 0;
    uint8_t is_given = 0;
    for (int attempt = 0; attempt < 10 && !is_given; attempt++)
        __asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(value), "=qm"(is_given) : : "cc");
    return is_given ? value : 0;
}

static inline uint64_t fault_address(void) {
    uint64_t address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    return address;
}
static inline uint64_t control_register4_read(void) {
    uint64_t value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}
static inline void control_register4_write(uint64_t value) {
    __asm__ volatile("mov %0, %%cr4" : : "r"(value) : "memory");
}
static inline void extended_control_write(uint64_t value) {
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}
static inline void page_invalidate(uint64_t address) {
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}
static inline void page_tables_use(uint64_t root) {
    __asm__ volatile("mov %0, %%cr3" : : "r"(root) : "memory");
}
static inline void pages_invalidate_all(void) {
    uint64_t root;
    __asm__ volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r"(root) : : "memory");
}
static inline void memory_fence(void) { __asm__ volatile("mfence" : : : "memory"); }
static inline void interrupts_enable(void) { __asm__ volatile("sti" : : : "memory"); }
static inline void interrupts_disable(void) { __asm__ volatile("cli" : : : "memory"); }
/* Whether they were on before. */
static inline int interrupts_take_off(void) {
    uint64_t flags;
    __asm__ volatile("pushfq\n\tpop %0\n\tcli" : "=r"(flags) : : "memory");
    return flags >> 9 & 1;
}
/* Sleeps for good where interrupts are off. */
static inline void halt_for_good(void) { __asm__ volatile("cli\n\thlt" : : : "memory"); }
/* Sleeps until an interrupt; none is missed between the two instructions. */
static inline void halt(void) { __asm__ volatile("sti\n\thlt" : : : "memory"); }
#endif
