// Reads the processor's cycle counter in its first instruction, and prints it together with the
// counter's rate: `first_cycles N` and `cycles_per_second N`.
// Without a C library, whose own start would come before.
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

__asm__(".globl _start\n"
        "_start:\n"
        "    rdtsc\n"
        "    shl $32, %rdx\n"
        "    lea (%rax, %rdx), %rdi\n"
        "    and $-16, %rsp\n"
        "    call report\n");

static long call(long number, long first, long second, long third) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

static uint64_t nanoseconds(void) {
    struct timespec time;
    call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* The counter's rate over a fiftieth of a second; the first call of the clock is no part of it. */
static uint64_t cycles_per_second(void) {
    uint64_t start = (nanoseconds(), nanoseconds()), cycles = __builtin_ia32_rdtsc(), now;
    do now = nanoseconds(); while (now - start < 20000000);
    return (__builtin_ia32_rdtsc() - cycles) * 1000 / ((now - start) / 1000000);
}

#define PRINT(name, value) print(name " ", sizeof name, value)

static void print(const char *name, long length, uint64_t value) {
    char line[24], *end = line + sizeof line, *digit = end;
    *--digit = '\n';
    do *--digit = '0' + value % 10; while (value /= 10);
    call(SYS_write, 1, (long)name, length);
    call(SYS_write, 1, (long)digit, end - digit);
}

__attribute__((noreturn, used)) void report(uint64_t first) {
    PRINT("first_cycles", first);
    PRINT("cycles_per_second", cycles_per_second());
    call(SYS_exit_group, 0, 0, 0);
    __builtin_unreachable();
}
