#include "cpu.h"
#include "entry.h"

#ifdef UNIRUN_GUEST
/* On a page of its own, for interrupts write to it while all others are moved: HostProcesses.swift. */
__attribute__((section(".data.cpu")))
#endif
struct cpu boot_cpu = {.self = &boot_cpu, .kernel_flags = 0x202};
uint64_t plain_sites[PLAIN_SITES];

#ifndef UNIRUN_GUEST
#include "cycles.h"

static uint64_t processor_counter(void) { return __builtin_ia32_rdtsc(); }
uint64_t (*hosted_cycle_counter)(void) = processor_counter;
#endif
