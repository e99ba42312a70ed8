// cflags: -O0
#include "facts.h"
#include <setjmp.h>

static sigjmp_buf back;
static char *top;

static void handler(int number, siginfo_t *info, void *context) {
    char here;
    stack_t stack;
    sigaltstack(NULL, &stack);
    fact("signal", number);
    fact("on the other stack", &here > (char *)stack.ss_sp && &here < (char *)stack.ss_sp + stack.ss_size);
    fact("stack says so", stack.ss_flags == SS_ONSTACK);
    long depth = top - (char *)info->si_addr;
    fact("near eight MiB down", depth > (7 << 20) && depth < (9 << 20));
    siglongjmp(back, 1);
}

static int descend(int depth) {
    volatile char frame[1024];
    frame[depth & 1023] = depth;
    return descend(depth + 1) + frame[depth & 1023];
}

int main(void) {
    char here;
    top = &here;
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    must(sigaltstack(&stack, NULL));
    install(SIGSEGV, handler, SA_ONSTACK);
    for (int round = 0; round < 3; round++) {
        if (sigsetjmp(back, 1) == 0) fact("never", descend(0));
        fact("survived", round);
    }
}
