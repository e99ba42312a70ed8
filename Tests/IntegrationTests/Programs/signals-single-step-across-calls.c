// A program that sets the trap flag gets SIGTRAP after each of its instructions; a system call is
// none of them, whatever way it takes into the kernel.
#include "facts.h"

#include <ucontext.h>

enum { most = 64 };
static volatile int steps, other;
static struct {
    unsigned long address;
    int code;
} seen[most];

static void stepped(int number, siginfo_t *info, void *context) {
    if (steps < most) {
        seen[steps].address = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
        seen[steps].code = info->si_code;
    }
    steps++;
}
static void noticed(int number, siginfo_t *info, void *context) { other++; }

// The stack below is the compiler's red zone.
#define STEPPING(body)                                                             \
    "lea -128(%%rsp), %%rsp\n pushfq\n orl $0x100, (%%rsp)\n popfq\n"             \
    "77: nop\n" body                                                               \
    "nop\n pushfq\n andl $0xfffffeff, (%%rsp)\n popfq\n lea 128(%%rsp), %%rsp\n"

// The number before the call, as most callers have it; then what follows moves into the stub.
static unsigned long number_before(long *result, long *flags) {
    unsigned long start;
    __asm__ volatile("lea 77f(%%rip), %2\n" STEPPING("mov $102, %%eax\n syscall\n mov %%r11, %1\n")
                     : "=a"(*result), "=&r"(*flags), "=&r"(start)
                     :
                     : "rcx", "r11", "memory");
    return start;
}

static unsigned long number_in_register(long *result, long *flags) {
    unsigned long start;
    long number = 110;
    __asm__ volatile("lea 77f(%%rip), %2\n"
                     STEPPING("mov %3, %%rax\n syscall\n mov %%r11, %1\n xor %%edx, %%edx\n inc %%edx\n")
                     : "=&a"(*result), "=&r"(*flags), "=&r"(start)
                     : "r"(number)
                     : "rcx", "rdx", "r11", "memory");
    return start;
}

static unsigned long kill_self(long *result, long *flags) {
    unsigned long start;
    __asm__ volatile("lea 77f(%%rip), %2\n" STEPPING("mov $62, %%eax\n syscall\n mov %%r11, %1\n")
                     : "=&a"(*result), "=&r"(*flags), "=&r"(start)
                     : "D"((long)getpid()), "S"((long)SIGUSR1)
                     : "rcx", "r11", "memory");
    return start;
}

// A call that blocks, and that an unknown number makes.
static unsigned long sleep_and_unknown(long *result, long *flags) {
    unsigned long start;
    struct timespec pause = {0, 2000000};
    __asm__ volatile("lea 77f(%%rip), %2\n"
                     STEPPING("mov $35, %%eax\n syscall\n mov $9999, %%eax\n syscall\n mov %%r11, %1\n")
                     : "=&a"(*result), "=&r"(*flags), "=&r"(start)
                     : "D"(&pause), "S"(0L)
                     : "rcx", "r11", "memory");
    return start;
}

// The C library's own function, whatever it looks like.
static unsigned long library(long *result, long *flags) {
    unsigned long start;
    __asm__ volatile("lea 77f(%%rip), %2\n" STEPPING("call *%3\n mov %%r11, %1\n")
                     : "=&a"(*result), "=&r"(*flags), "=&r"(start)
                     : "r"(syscall), "D"((long)SYS_getppid)
                     : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory");
    return start;
}

static void run(const char *name, unsigned long (*body)(long *, long *)) {
    for (int round = 0; round < 4; round++) {
        long result, flags;
        steps = 0;
        unsigned long start = body(&result, &flags);
        tell(name, "round %d: %d steps, result %d, TF in r11 %d", round, steps,
             result < 0 ? (int)result : 0, !!(flags & 0x100));
        for (int index = 0; index < steps && index < most; index++)
            tell("  at", "%ld code %d", (long)(seen[index].address - start), seen[index].code);
    }
}

int main(void) {
    install(SIGTRAP, stepped, 0);
    install(SIGUSR1, noticed, 0);
    run("number before", number_before);
    run("number in register", number_in_register);
    run("kill", kill_self);
    fact("other signals", other);
    run("sleep and unknown", sleep_and_unknown);
    run("library", library);
    return 0;
}
