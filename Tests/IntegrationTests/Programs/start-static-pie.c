// libc: glibc
// cflags: -static-pie -fPIE
#include "facts.h"

static int data = 5;
static int *relocated = &data;
static int (*function)(const char *, ...) = printf;

int main(void) {
    fact("relocated data", *relocated);
    function("relocated call\n");
    fact("far from low addresses", (uintptr_t)&data > 1UL << 32);
    static __thread int own = 7;
    fact("thread local", own);
}
