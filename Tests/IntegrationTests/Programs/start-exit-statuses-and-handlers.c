#include "facts.h"

static void last(void) { printf("last\n"); }
static void first(void) { printf("first\n"); }

int main(void) {
    atexit(last);
    atexit(first);
    printf("main");
    return 256 + 77;
}
