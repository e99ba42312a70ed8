#include "facts.h"
#include <setjmp.h>

static sigjmp_buf back;

static void handler(int number, siginfo_t *info, void *context) {
    printf("signal %d code %d\n", number, info->si_code);
    siglongjmp(back, 1);
}

int main(void) {
    install(SIGSEGV, handler, 0);
    // mov $imm32, %eax; ret
    unsigned char *code = map(8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE);
    memcpy(code, "\xb8\x2a\x00\x00\x00\xc3", 6);
    int (*function)(void) = (int (*)(void))code;
    fact("first", function());
    code[1] = 43;
    fact("changed", function());
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    fact("read and execute", function());
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    if (sigsetjmp(back, 1) == 0) fact("never", function());
    // mov $39, %eax; syscall; ret: code that is made at run time may call the kernel as well.
    memcpy(code, "\xb8\x27\x00\x00\x00\x0f\x05\xc3", 8);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    int same = 0;
    for (int round = 0; round < 100; round++) same += function() == getpid();
    fact("calls from made code", same);
    mprotect(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    code[1] = 110;
    fact("another call in the same place", function() == getppid());
}
