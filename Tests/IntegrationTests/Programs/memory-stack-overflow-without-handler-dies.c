// cflags: -O0
#include "facts.h"

static int descend(int depth) {
    volatile char frame[4096];
    frame[depth & 1023] = depth;
    return descend(depth + 1) + frame[depth & 1023];
}

int main(void) {
    printf("going down\n");
    return descend(0);
}
