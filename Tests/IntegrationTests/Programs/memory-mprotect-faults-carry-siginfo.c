#include "facts.h"
#include <setjmp.h>

static sigjmp_buf back;
static char *base;

static void handler(int number, siginfo_t *info, void *context) {
    printf("signal %d code %d errno %d offset %ld\n", number, info->si_code, info->si_errno,
        (long)((char *)info->si_addr - base));
    siglongjmp(back, 1);
}

static void try_read(const char *what, volatile char *at) {
    printf("%s: ", what);
    if (sigsetjmp(back, 1) == 0) printf("read %d\n", *at);
}

static void try_write(const char *what, volatile char *at) {
    printf("%s: ", what);
    if (sigsetjmp(back, 1) == 0) {
        *at = 9;
        printf("written\n");
    }
}

int main(void) {
    install(SIGSEGV, handler, 0);
    base = map(4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    memset(base, 5, 4 * 4096);
    mprotect(base + 4096, 4096, PROT_READ);
    mprotect(base + 2 * 4096, 4096, PROT_NONE);
    munmap(base + 3 * 4096, 4096);
    try_read("read only, read", base + 4096 + 17);
    try_write("read only, write", base + 4096 + 18);
    try_read("none, read", base + 2 * 4096 + 19);
    try_write("none, write", base + 2 * 4096 + 20);
    try_read("unmapped, read", base + 3 * 4096 + 21);
    mprotect(base + 4096, 2 * 4096, PROT_READ | PROT_WRITE);
    try_write("again writable", base + 4096 + 18);
    try_read("its old bytes", base + 2 * 4096 + 19);
    outcome("mprotect over a hole", mprotect(base, 4 * 4096, PROT_READ));
    outcome("mprotect unaligned", mprotect(base + 3, 4096, PROT_READ));
    outcome("mprotect length 0", mprotect(base, 0, PROT_READ));
    outcome("mprotect bad bits", mprotect(base, 4096, 0x40));
}
