#include "facts.h"

int main(void) {
    char *bases[4];
    size_t length = 512UL << 30;
    for (int each = 0; each < 4; each++) {
        bases[each] = mmap(NULL, length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        fact("reserved", bases[each] != MAP_FAILED);
    }
    for (int each = 0; each < 4; each++) {
        char *middle = bases[each] + (length / 2);
        outcome("mprotect", mprotect(middle, 1 << 20, PROT_READ | PROT_WRITE));
        memset(middle, each + 1, 1 << 20);
        fact("last byte", middle[(1 << 20) - 1]);
    }
    for (int each = 0; each < 4; each++) outcome("munmap", munmap(bases[each], length));
    char *arena = map(64UL << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    for (size_t at = 0; at < 64UL << 30; at += 1UL << 30) arena[at] = 1;
    fact("sparse touch", arena[63UL << 30]);
}
