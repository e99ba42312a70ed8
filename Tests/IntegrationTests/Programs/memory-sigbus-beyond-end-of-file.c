#include "facts.h"
#include <setjmp.h>

static sigjmp_buf back;
static char *base;

static void handler(int number, siginfo_t *info, void *context) {
    printf("signal %d code %d offset %ld\n", number, info->si_code, (long)((char *)info->si_addr - base));
    siglongjmp(back, 1);
}

int main(void) {
    install(SIGBUS, handler, 0);
    int file = make_file("short", "some text");
    base = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    fact("last page", base[4095]);
    if (sigsetjmp(back, 1) == 0) fact("never", ((volatile char *)base)[4096]);
    if (sigsetjmp(back, 1) == 0) ((volatile char *)base)[3 * 4096 + 5] = 1;
    ftruncate(file, 3 * 4096);
    base[2 * 4096] = 4;
    fact("after growing", base[2 * 4096]);
    ftruncate(file, 4096);
    if (sigsetjmp(back, 1) == 0) fact("never", ((volatile char *)base)[2 * 4096]);
    fact("a call on such memory", write(1, base + 2 * 4096, 3) == -1 && errno == EFAULT);
    signal(SIGBUS, SIG_DFL);
    base[2 * 4096] = 1;
}
