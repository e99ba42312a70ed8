#include "facts.h"

static volatile int hits;
static void handler(int number, siginfo_t *info, void *context) {
    hits++;
    volatile char stack[512];
    memset((void *)stack, 0xee, sizeof stack);
    __asm__ volatile("pcmpeqd %%xmm0, %%xmm0\n movdqa %%xmm0, %%xmm3\n movdqa %%xmm0, %%xmm15\n fldz\n fstp %%st(0)"
                     ::: "xmm0", "xmm3", "xmm15");
}

int main(void) {
    install(SIGALRM, handler, 0);
    struct itimerspec pace = {{0, 500000}, {0, 500000}};
    timer_t timer;
    must(timer_create(CLOCK_MONOTONIC, NULL, &timer));
    must(timer_settime(timer, 0, &pace, NULL));
    static const long pattern[2] = {0x0123456789abcdef, 0x1122334455667788};
    long wrong = 0;
    double kept = 1.25;
    while (hits < 200) {
        long bad;
        __asm__ volatile(
            "movdqu %[pattern], %%xmm3\n movdqa %%xmm3, %%xmm15\n"
            "fldl %[kept]\n"
            "movq $0x5a5a, -8(%%rsp)\n movq $0x6b6b, -128(%%rsp)\n movq $0x7c7c, -64(%%rsp)\n"
            "mov $3000, %%ecx\n 1: dec %%ecx\n jnz 1b\n"
            "mov -8(%%rsp), %%rax\n xor $0x5a5a, %%rax\n"
            "mov -128(%%rsp), %%rcx\n xor $0x6b6b, %%rcx\n or %%rcx, %%rax\n"
            "mov -64(%%rsp), %%rcx\n xor $0x7c7c, %%rcx\n or %%rcx, %%rax\n"
            "movq %%xmm3, %%rcx\n xor %[pattern], %%rcx\n or %%rcx, %%rax\n"
            "movdqa %%xmm15, %%xmm4\n psrldq $8, %%xmm4\n movq %%xmm4, %%rcx\n xor %[second], %%rcx\n or %%rcx, %%rax\n"
            "fstpl %[kept]\n"
            : "=&a"(bad), [kept] "+m"(kept)
            : [pattern] "m"(pattern[0]), [second] "m"(pattern[1])
            : "rcx", "xmm3", "xmm4", "xmm15", "memory", "cc");
        wrong += bad != 0 || kept != 1.25;
    }
    fact("wrong", wrong);
}
