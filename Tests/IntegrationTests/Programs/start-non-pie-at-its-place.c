// cflags: -no-pie -fno-pie
#include "facts.h"

int main(void) {
    fact("linked there", (uintptr_t)main >> 22);
    char *heap = (char *)syscall(SYS_brk, 0);
    fact("heap is above the program", heap > (char *)&stdout);
    fact("grows", (char *)syscall(SYS_brk, heap + (1 << 20)) == heap + (1 << 20));
    memset(heap, 1, 1 << 20);
    fact("written", heap[(1 << 20) - 1]);
}
