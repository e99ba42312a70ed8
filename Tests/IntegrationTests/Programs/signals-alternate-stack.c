#include "facts.h"

static char *low;
static size_t length;

static int inside(void) {
    char here;
    return &here >= low && &here < low + length;
}

static void inner(int number, siginfo_t *info, void *context) { fact("nested on it", inside()); }
static void plain(int number, siginfo_t *info, void *context) { fact("without the flag", inside()); }

static void handler(int number, siginfo_t *info, void *context) {
    stack_t now, other = {.ss_sp = low, .ss_size = length};
    fact("on it", inside());
    sigaltstack(NULL, &now);
    fact("flags", now.ss_flags);
    outcome("change while on it", sigaltstack(&other, NULL));
    raise(SIGUSR2);
}

int main(void) {
    length = 64 * 1024;
    low = malloc(length);
    stack_t stack = {.ss_sp = low, .ss_size = length}, old;
    must(sigaltstack(&stack, &old));
    fact("disabled before", old.ss_flags == SS_DISABLE);
    install(SIGUSR1, handler, SA_ONSTACK);
    install(SIGUSR2, inner, SA_ONSTACK);
    install(SIGHUP, plain, 0);
    raise(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGHUP);
    fact("back", inside());
    stack.ss_size = 100;
    outcome("too small", syscall(SYS_sigaltstack, &stack, NULL));
    stack.ss_flags = 77;
    outcome("unknown flags", syscall(SYS_sigaltstack, &stack, NULL));
    stack.ss_flags = SS_DISABLE;
    outcome("disable", sigaltstack(&stack, NULL));
    raise(SIGUSR2);
}
