#include "facts.h"

int main(void) {
    unsigned char *base = map(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    unsigned sum = 0;
    for (int at = 0; at < 1 << 20; at++) sum += base[at];
    fact("sum", sum);
    fact("aligned", ((uintptr_t)base & 4095) == 0);
    memset(base, 7, 1 << 20);
    outcome("munmap middle", munmap(base + 4096, 8192));
    fact("before", base[4095]);
    fact("after", base[3 * 4096]);
    outcome("munmap of nothing", munmap(base + 4096, 4096));
    outcome("munmap unaligned", munmap(base + 1, 4096));
    outcome("munmap length 0", munmap(base, 0));
    outcome("mmap length 0", (long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    outcome("mmap no type", (long)mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0));
    outcome("mmap bad fd", (long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 77, 0));
    outcome("mmap offset", (long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 0, 5));
    outcome("mmap huge", (long)mmap(NULL, 1UL << 60, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
