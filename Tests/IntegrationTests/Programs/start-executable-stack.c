// cflags: -z execstack -Wno-trampolines
#include "facts.h"

static int call(int (*function)(int)) { return function(5); }

int main(void) {
    int base = 100;
    // A nested function that reads this frame is reached through code on the stack.
    int add(int value) { return base + value; }
    fact("trampoline", call(add));
}
