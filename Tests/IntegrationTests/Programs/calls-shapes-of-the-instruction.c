// cflags: -fcf-protection=none
#include "facts.h"

// Each is called many times, so that every way into a site that was rewritten is taken.
#define ROUNDS 50
#define repeat(name, expression, expected)                                \
    do {                                                                  \
        long right = 0;                                                   \
        for (int round = 0; round < ROUNDS; round++) right += (expression) == (expected); \
        fact(name, right);                                                \
    } while (0)

#define clobbers "rcx", "r11", "memory", "cc"

static long zero_by_xor(int file, char *to) {
    long value;
    __asm__ volatile("xor %%eax, %%eax\n syscall" : "=&a"(value) : "D"(file), "S"(to), "d"(1) : clobbers);
    return value;
}
static long from_register(long number) {
    long value;
    __asm__ volatile("mov %1, %%eax\n syscall" : "=&a"(value) : "r"((int)number) : clobbers);
    return value;
}
static long from_wide_register(long number) {
    long value;
    __asm__ volatile("mov %1, %%rax\n syscall" : "=&a"(value) : "r"(number) : clobbers);
    return value;
}
static long with_rex(void) {
    long value;
    __asm__ volatile("movq $39, %%rax\n syscall" : "=&a"(value) : : clobbers);
    return value;
}
static long with_useless_rex(void) {
    long value;
    __asm__ volatile(".byte 0x48, 0xb8, 39, 0, 0, 0, 0, 0, 0, 0\n syscall" : "=&a"(value) : : clobbers);
    return value;
}
// A REX byte before the five-byte form: its register changes.
static long rex_changes_register(void) {
    long value, other;
    __asm__ volatile("mov $110, %%eax\n .byte 0x41, 0xb8, 39, 0, 0, 0\n syscall\n mov %%r8, %1"
                     : "=&a"(value), "=r"(other) : : "r8", clobbers);
    return value == getppid() && other == 39;
}
static long loop_back(int count) {
    long calls = 0;
    __asm__ volatile("1: mov $39, %%eax\n 2: syscall\n inc %0\n dec %1\n jz 3f\n test $1, %1\n jz 1b\n mov $39, %%rax\n jmp 2b\n 3:"
                     : "+r"(calls), "+r"(count) : : "rax", clobbers);
    return calls;
}
// Into the middle of a pair that would be rewritten as one: the number is another one.
static long jump_onto_the_call(int directly) {
    long value;
    __asm__ volatile("test %1, %1\n jz 1f\n mov $110, %%eax\n jmp 2f\n 1: mov $39, %%eax\n 2: syscall"
                     : "=&a"(value) : "r"(directly) : clobbers);
    return value;
}
__asm__(".text\n.globl returns_at_once\nreturns_at_once: mov $39, %eax\n syscall\n ret\n"
        ".globl only_call\nonly_call: mov %rdi, %rax\n mov %rsi, %rdi\n mov %rdx, %rsi\n mov %rcx, %rdx\n mov %r8, %r10\n"
        "mov %r9, %r8\n mov 8(%rsp), %r9\n bare: syscall\n ret\n"
        ".globl conditional\nconditional: mov $39, %eax\n syscall\n jmp 1f\n .byte 0x0f, 0x0b\n 1: ret\n"
        ".globl relative\nrelative: mov $39, %eax\n syscall\n lea value(%rip), %rcx\n add (%rcx), %rax\n ret\n"
        ".globl calls\ncalls: mov $39, %eax\n syscall\n call returns_at_once\n ret\n"
        ".globl flags\nflags: stc\n mov $39, %eax\n syscall\n setc %al\n movzbl %al, %eax\n ret\n"
        ".data\nvalue: .quad 1000\n.text\n");
long returns_at_once(void), only_call(long, ...), conditional(void), relative(void), calls(void), flags(void);

static long saved_registers(void) {
    long next, after, flags_before, flags_after;
    __asm__ volatile("pushfq\n pop %2\n mov $39, %%eax\n syscall\n 1: lea 1b(%%rip), %0\n sub %%rcx, %0\n mov %%r11, %3"
                     : "=&r"(next), "=&r"(after), "=&r"(flags_before), "=&r"(flags_after) : : "rax", clobbers);
    return next == 0 && (flags_before & 0xcd5) == (flags_after & 0xcd5);
}

// A call as the last bytes of a page, and across two pages.
static long at_the_end_of_a_page(int overlap) {
    static char *pages[3];
    if (!pages[overlap]) {
        pages[overlap] = map(8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
        memset(pages[overlap], 0x90, 8192);
        memcpy(pages[overlap] + 4096 - 7 + overlap, "\xb8\x27\x00\x00\x00\x0f\x05", 7);
        pages[overlap][4096 + 10] = 0xc3;
        mprotect(pages[overlap], 8192, PROT_READ | PROT_EXEC);
    }
    return ((long (*)(void))(pages[overlap] + 4096 - 7 + overlap))();
}

int main(void) {
    long me = getpid(), parent = getppid();
    int file = make_file("file", "ab");
    char byte;
    repeat("xor eax", (lseek(file, 0, SEEK_SET), zero_by_xor(file, &byte)), 1);
    repeat("mov from a register", from_register(SYS_getpid), me);
    repeat("another number through it", from_register(SYS_getppid), parent);
    repeat("mov from a wide register", from_wide_register(SYS_getpid), me);
    repeat("mov with REX", with_rex(), me);
    repeat("mov of ten bytes", with_useless_rex(), me);
    repeat("REX before a short mov", rex_changes_register(), 1);
    repeat("loops", loop_back(9), 9);
    repeat("falls into it", jump_onto_the_call(0), me);
    repeat("jumps onto it", jump_onto_the_call(1), parent);
    repeat("falls into it again", jump_onto_the_call(0), me);
    repeat("ret follows", returns_at_once(), me);
    repeat("bare, getpid", only_call(SYS_getpid), me);
    repeat("bare, write of nothing", only_call(SYS_write, file, &byte, 0), 0);
    repeat("bare, six arguments", only_call(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1), -EINVAL);
    repeat("a jump follows", conditional(), me);
    repeat("an address follows", relative(), me + 1000);
    repeat("a call follows", calls(), me);
    repeat("flags stay", flags(), 1);
    repeat("rcx and r11 as the processor sets them", saved_registers(), 1);
    for (int overlap = 0; overlap < 3; overlap++) repeat("end of a page", at_the_end_of_a_page(overlap), me);
}
