#include "facts.h"
#include <setjmp.h>

static sigjmp_buf back;
static void *expected;

static void handler(int number, siginfo_t *info, void *context) {
    printf("signal %d code %d address as expected %d\n", number, info->si_code, info->si_addr == expected);
    siglongjmp(back, 1);
}

int main(void) {
    install(SIGFPE, handler, 0);
    install(SIGILL, handler, 0);
    install(SIGSEGV, handler, 0);
    install(SIGBUS, handler, 0);
    install(SIGTRAP, handler, 0);
    extern char divide[], bad[];
    expected = divide;
    if (!sigsetjmp(back, 1)) {
        __asm__ volatile("xor %%edx, %%edx\n mov $1, %%eax\n xor %%ecx, %%ecx\n divide: idiv %%ecx" ::: "rax", "rcx", "rdx");
    }
    expected = bad;
    if (!sigsetjmp(back, 1)) __asm__ volatile("bad: ud2");
    expected = NULL;
    printf("null pointer: ");
    if (!sigsetjmp(back, 1)) *(volatile int *)expected = 1;
    printf("address that is not canonical: ");
    if (!sigsetjmp(back, 1)) *(volatile int *)0x8000000000001234 = 1;
    expected = (void *)0x1234;
    printf("jump into nothing: ");
    if (!sigsetjmp(back, 1)) ((void (*)(void))expected)();
    printf("breakpoint: ");
    expected = NULL;
    if (!sigsetjmp(back, 1)) __asm__ volatile("int3");
}
