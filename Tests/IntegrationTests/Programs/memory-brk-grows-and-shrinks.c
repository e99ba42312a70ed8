#include "facts.h"

int main(void) {
    char *start = (char *)syscall(SYS_brk, 0);
    fact("start is above the image", (uintptr_t)start > (uintptr_t)&main);
    char *end = (char *)syscall(SYS_brk, start + 1000000);
    fact("grown", end - start);
    fact("zero", start[999999]);
    memset(start, 3, 1000000);
    end = (char *)syscall(SYS_brk, start + 10);
    fact("shrunk", end - start);
    end = (char *)syscall(SYS_brk, start + 1000000);
    fact("grown again", end - start);
    fact("kept", start[5]);
    fact("zero again", start[900000]);
    end = (char *)syscall(SYS_brk, 4096);
    fact("a refusal tells the old end", end - start);
    end = (char *)syscall(SYS_brk, start);
    fact("back", end - start);
}
