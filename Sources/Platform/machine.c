#ifdef UNIRUN_GUEST

#include "machine.h"
#include "platform.h"

/* In C because Swift has no zero for a struct whose pointers are never null. */
static struct boot_information information;

struct boot_information *machine_boot_information(void) { return &information; }

/* Neither may cross a page. */
static volatile struct kvm_system_time system_time __attribute__((aligned(32)));
static volatile struct kvm_wall_clock wall_clock __attribute__((aligned(16)));

struct kvm_system_time *machine_kvm_system_time(void) {
    return (struct kvm_system_time *)&system_time;
}
struct kvm_wall_clock *machine_kvm_wall_clock(void) { return (struct kvm_wall_clock *)&wall_clock; }

/* What the processor itself reads and writes when something interrupts the program, before a handler
 * can open kernel data: pages of its own, which are not guarded. */
#define OF_PROCESSOR __attribute__((section(".bss.processor")))

/* SDM volume 3, section 8.7: the task state tells the processor its interrupt stacks. */
static struct {
    uint32_t reserved0;
    uint64_t stacks[3];
    uint64_t reserved1;
    uint64_t interrupt_stacks[7];
    uint64_t reserved2;
    uint16_t reserved3, port_map;
} __attribute__((packed)) task_state OF_PROCESSOR;

static uint64_t descriptors[5] OF_PROCESSOR;

/* The common stack is the largest: the kernel brings pages in on it. */
static uint8_t stacks[MACHINE_STACKS][16384] OF_PROCESSOR __attribute__((aligned(16)));

/* Section 6.14.1: a gate's address in three parts. */
static struct {
    uint16_t low, selector;
    uint8_t stack, type;
    uint16_t middle;
    uint32_t high, reserved;
} gates[VECTOR_COUNT] OF_PROCESSOR;

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* NMI, double fault, machine check and debug interrupt anything: each has a stack of its own. */
static uint8_t stack_of(unsigned vector) {
    switch (vector) {
    case 1: return MACHINE_STACK_DEBUG;
    case 2: return MACHINE_STACK_NMI;
    case 8: return MACHINE_STACK_DOUBLE_FAULT;
    case 18: return MACHINE_STACK_MACHINE_CHECK;
    default: return MACHINE_STACK_COMMON;
    }
}

void machine_load_descriptors(void) {
    task_state.port_map = sizeof task_state;
    for (unsigned each = 0; each < MACHINE_STACKS; each++)
        task_state.interrupt_stacks[each] = (uint64_t)(stacks[each] + sizeof stacks[each]);
    descriptors[1] = 0x00af9b000000ffff; /* MACHINE_CODE_SELECTOR */
    descriptors[2] = 0x00cf93000000ffff; /* MACHINE_STACK_SELECTOR */
    uint64_t base = (uint64_t)&task_state;
    descriptors[3] = (sizeof task_state - 1) | (base & 0xffffff) << 16 | 0x890000000000 |
                     (base >> 24 & 0xff) << 56;
    descriptors[4] = base >> 32;
    for (unsigned vector = 0; vector < VECTOR_COUNT; vector++) {
        uint64_t address = machine_vectors[vector];
        gates[vector].low = (uint16_t)address;
        gates[vector].middle = (uint16_t)(address >> 16);
        gates[vector].high = (uint32_t)(address >> 32);
        gates[vector].selector = MACHINE_CODE_SELECTOR;
        gates[vector].stack = stack_of(vector);
        gates[vector].type = 0x8e; /* present, interrupts off */
    }
    struct table_pointer pointer = {sizeof descriptors - 1, (uint64_t)descriptors};
    __asm__ volatile("lgdt %0" : : "m"(pointer));
    pointer = (struct table_pointer){sizeof gates - 1, (uint64_t)gates};
    __asm__ volatile("lidt %0" : : "m"(pointer));
    __asm__ volatile("ltr %w0" : : "r"(MACHINE_TASK_SELECTOR));
}

extern uint64_t root_table[], image_tables[];
extern const char image_constants[], image_variables[], image_processor[], image_processor_end[];
extern const char boot_stack_guard[];

const struct machine_tables machine_tables = {
    .root = (uint64_t)&root_table,
    .image = image_tables,
    .constants = (uint64_t)&image_constants,
    .variables = (uint64_t)&image_variables,
    .processor = (uint64_t)&image_processor,
    .processor_end = (uint64_t)&image_processor_end,
    .boot_stack_guard = (uint64_t)&boot_stack_guard,
};

void machine_guard_kernel(void) {
    for (const struct machine_patch *each = machine_patches; each < machine_patches_end; each++)
        __builtin_memcpy((void *)each->place, &each->bytes, each->length);
    __asm__ volatile("stac" : : : "memory");
}

void machine_system_call(void);
uint64_t machine_system_call_address(void) { return (uint64_t)machine_system_call; }

void machine_steps_end(void);
uint64_t machine_steps_end_address(void) { return (uint64_t)machine_steps_end; }

#endif
