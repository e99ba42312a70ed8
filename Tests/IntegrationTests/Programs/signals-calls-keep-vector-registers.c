// cflags: -mavx2
#include "facts.h"

// A call into the kernel changes only rax, rcx and r11.
int main(void) {
    int file = make_file("vectors", "text");
    static char buffer[32];
    static const long pattern[4] = {0x0102030405060708, 0x1112131415161718, 0x2122232425262728, 0x3132333435363738};
    long calls[] = {SYS_getpid, SYS_pread64, SYS_sched_yield, SYS_clock_gettime, SYS_fstat, SYS_gettid};
    static char room[256];
    long wrong = 0;
    for (int round = 0; round < 600; round++) {
        long number = calls[round % 6], bad;
        long second = number == SYS_pread64 ? (long)buffer : (long)room;
        long first = number == SYS_clock_gettime ? 1 : file;
        register long r10 __asm__("r10") = 0;
        register long r8 __asm__("r8") = 0x888;
        register long r9 __asm__("r9") = 0x999;
        long rdi = first, rsi = second, rdx = 4;
        __asm__ volatile(
            "vmovdqu %[pattern], %%ymm0\n vmovdqa %%ymm0, %%ymm9\n vmovdqa %%ymm0, %%ymm15\n"
            "mov $0xabc, %%r12\n mov $0xdef, %%r13\n movq $0x5a5a, -16(%%rsp)\n movq $0x5b5b, -128(%%rsp)\n"
            "syscall\n"
            "xor %%eax, %%eax\n"
            "vpcmpeqq %[pattern], %%ymm0, %%ymm1\n vpmovmskb %%ymm1, %%ecx\n not %%ecx\n or %%ecx, %%eax\n"
            "vpcmpeqq %[pattern], %%ymm9, %%ymm1\n vpmovmskb %%ymm1, %%ecx\n not %%ecx\n or %%ecx, %%eax\n"
            "vpcmpeqq %[pattern], %%ymm15, %%ymm1\n vpmovmskb %%ymm1, %%ecx\n not %%ecx\n or %%ecx, %%eax\n"
            "xor $0xabc, %%r12\n or %%r12, %%rax\n xor $0xdef, %%r13\n or %%r13, %%rax\n"
            "mov -16(%%rsp), %%rcx\n xor $0x5a5a, %%rcx\n or %%rcx, %%rax\n"
            "mov -128(%%rsp), %%rcx\n xor $0x5b5b, %%rcx\n or %%rcx, %%rax\n"
            : "=a"(bad), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
            : "0"(number), [pattern] "m"(pattern)
            : "rcx", "r11", "r12", "r13", "ymm0", "ymm1", "ymm9", "ymm15", "memory", "cc");
        wrong += bad != 0 || rdi != first || rsi != second || rdx != 4 || r8 != 0x888 || r9 != 0x999 || r10 != 0;
    }
    fact("wrong", wrong);
}
