#include "facts.h"

static void handler(int number, siginfo_t *info, void *context) { printf("never\n"); }

int main(void) {
    install(SIGSEGV, handler, 0);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGSEGV);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    printf("going\n");
    *(volatile int *)0 = 1;
}
