#include "facts.h"

static int descend(int depth) {
    volatile char frame[8192];
    frame[0] = depth;
    frame[8191] = depth >> 8;
    if (depth == 0) return 0;
    return descend(depth - 1) + 1 + (frame[0] != (char)depth);
}

int main(void) {
    fact("depth", descend(800));
    volatile char *big = __builtin_alloca(5 << 20);
    big[0] = 1;
    big[(5 << 20) - 1] = 2;
    tell("five MiB at once", "%d %d", big[0], big[(5 << 20) - 1]);
}
