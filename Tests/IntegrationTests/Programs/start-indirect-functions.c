// libc: glibc
#include "facts.h"

static int one(void) { return 1; }
static int two(void) { return 2; }
static int (*choose(void))(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("sse2") ? two : one;
}
int chosen(void) __attribute__((ifunc("choose")));

int main(void) {
    fact("chosen", chosen());
    char text[300];
    memset(text, 'a', 299), text[299] = 0;
    fact("library's own", strlen(text));
}
