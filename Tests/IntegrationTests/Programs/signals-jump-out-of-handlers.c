#include "facts.h"
#include <setjmp.h>

static sigjmp_buf back;
static void jump(int number, siginfo_t *info, void *context) { siglongjmp(back, number); }

int main(void) {
    install(SIGUSR1, jump, 0);
    install(SIGSEGV, jump, SA_NODEFER);
    int caught = 0;
    for (volatile int round = 0; round < 1000; round++) {
        int number = sigsetjmp(back, 1);
        if (number) {
            caught++;
            continue;
        }
        if (round % 2) raise(SIGUSR1);
        *(volatile int *)8 = 0;
    }
    fact("caught", caught);
    sigset_t mask;
    sigprocmask(SIG_BLOCK, NULL, &mask);
    tell("mask", "%d %d", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGSEGV));
}
