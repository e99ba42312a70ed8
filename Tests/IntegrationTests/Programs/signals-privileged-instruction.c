// process: a machine runs the program in ring 0, where the instruction is allowed
#include "facts.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handler(int number, siginfo_t *info, void *context) {
    printf("signal %d code %d address %p\n", number, info->si_code, info->si_addr);
    siglongjmp(back, 1);
}

int main(void) {
    install(SIGSEGV, handler, 0);
    if (!sigsetjmp(back, 1)) __asm__ volatile("hlt");
}
