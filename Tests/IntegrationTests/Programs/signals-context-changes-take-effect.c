#include "facts.h"
#include <ucontext.h>

static void step_over(int number, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    user->uc_mcontext.gregs[REG_RIP] += 2;
    user->uc_mcontext.gregs[REG_RAX] = 1234;
    user->uc_mcontext.gregs[REG_R15] ^= 0xff;
}

static void set_mask(int number, siginfo_t *info, void *context) {
    sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
}

int main(void) {
    install(SIGILL, step_over, 0);
    long first = 0, second = 0;
    __asm__ volatile("mov $0x100, %%r15\n ud2\n mov %%r15, %1" : "=a"(first), "=r"(second) : : "r15");
    fact("rax", first);
    fact("r15", second);
    install(SIGUSR1, set_mask, 0);
    raise(SIGUSR1);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    fact("blocked through the context", sigismember(&mask, SIGUSR2));
}
