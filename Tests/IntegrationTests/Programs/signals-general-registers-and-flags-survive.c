#include "facts.h"

static volatile int hits;
static void handler(int number, siginfo_t *info, void *context) {
    hits++;
    __asm__ volatile("mov $-1, %%rbx\n mov $-1, %%r8\n mov $-1, %%r9\n mov $-1, %%r10\n std\n cld\n stc" ::
                         : "rbx", "r8", "r9", "r10", "cc");
}

int main(void) {
    install(SIGALRM, handler, 0);
    struct itimerspec pace = {{0, 500000}, {0, 500000}};
    timer_t timer;
    must(timer_create(CLOCK_MONOTONIC, NULL, &timer));
    must(timer_settime(timer, 0, &pace, NULL));
    long wrong = 0;
    while (hits < 200) {
        long bad;
        __asm__ volatile(
            "mov $0x11, %%rbx\n mov $0x22, %%rcx\n mov $0x33, %%rdx\n mov $0x44, %%rsi\n mov $0x55, %%rdi\n"
            "mov $0x66, %%r8\n mov $0x77, %%r9\n mov $0x88, %%r10\n mov $0x99, %%r11\n mov $0xaa, %%r12\n"
            "mov $0xbb, %%r13\n mov $0xcc, %%r14\n mov $0xdd, %%r15\n mov $3000, %%eax\n"
            "stc\n"
            "1: lea -1(%%rax), %%rax\n jnc 2f\n jrcxz 2f\n inc %%rax\n dec %%rax\n jnz 1b\n"
            "mov %%rbx, %%rax\n add %%rcx, %%rax\n add %%rdx, %%rax\n add %%rsi, %%rax\n add %%rdi, %%rax\n"
            "add %%r8, %%rax\n add %%r9, %%rax\n add %%r10, %%rax\n add %%r11, %%rax\n add %%r12, %%rax\n"
            "add %%r13, %%rax\n add %%r14, %%rax\n add %%r15, %%rax\n sub $0x60b, %%rax\n"
            "jmp 3f\n"
            "2: mov $99, %%eax\n"
            "3:\n"
            : "=a"(bad)
            :
            : "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc");
        wrong += bad != 0;
    }
    fact("wrong", wrong);
    fact("interrupted", hits >= 200);
}
