#include "facts.h"
#include <linux/futex.h>
#include <linux/sched.h>

static int word = 1, ran;
static char stack[65536] __attribute__((aligned(64)));

__attribute__((used)) static void body(void) {
    ran = 1;
    __asm__ volatile("syscall" ::"a"(SYS_exit), "D"(0));
}

int main(void) {
    struct clone_args arguments = {
        .flags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000 | 0x100000,
        .child_tid = (uintptr_t)&word,
        .parent_tid = (uintptr_t)&word,
        .stack = (uintptr_t)stack,
        .stack_size = sizeof stack,
    };
    long thread;
    __asm__ volatile(
        "syscall\n test %%rax, %%rax\n jnz 1f\n xor %%ebp, %%ebp\n call body\n hlt\n1:"
        : "=a"(thread)
        : "a"(SYS_clone3), "D"(&arguments), "S"(sizeof arguments)
        : "rcx", "r11", "memory");
    fact("made", thread > 0);
    int seen;
    while ((seen = __atomic_load_n(&word, __ATOMIC_SEQ_CST)) != 0) {
        syscall(SYS_futex, &word, FUTEX_WAIT, seen, NULL);
    }
    fact("ran", ran);
    outcome("too small", syscall(SYS_clone3, &arguments, 32));
    outcome("bad pointer", syscall(SYS_clone3, 16, sizeof arguments));
}
