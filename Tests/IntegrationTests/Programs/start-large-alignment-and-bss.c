#include "facts.h"

static __attribute__((aligned(65536))) char aligned[65536] = {1};
static __attribute__((aligned(2097152))) char wide[100];
static char bss[50 << 20];
static char odd[12345] = {9};
static char after[54321];
static __thread __attribute__((aligned(4096))) char local[4096] = {3};
static const char constant[70000] = {4};

static int constructed;
__attribute__((constructor(200))) static void early(void) { constructed = constructed * 10 + 1; }
__attribute__((constructor(300))) static void late(void) { constructed = constructed * 10 + 2; }
__attribute__((destructor)) static void leave(void) { printf("leaving\n"); }

int main(void) {
    fact("64 KiB", (uintptr_t)aligned % 65536);
    fact("2 MiB", (uintptr_t)wide % 2097152);
    fact("thread local page", (uintptr_t)local % 4096);
    tell("values", "%d %d %d %d", aligned[0], odd[0], local[0], constant[0]);
    long sum = 0;
    for (size_t each = 0; each < sizeof bss; each++) sum += bss[each];
    for (size_t each = 0; each < sizeof after; each++) sum += after[each];
    fact("bss is zero", sum);
    bss[sizeof bss - 1] = 1;
    fact("order of constructors", constructed);
}
