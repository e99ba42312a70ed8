#include "facts.h"

int main(void) {
    char *base = map(8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    memset(base, 'a', 8 * 4096);
    char *same = mmap(base + 4096, 2 * 4096, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    fact("at its place", same == base + 4096);
    fact("before", base[0]);
    fact("replaced", base[4096]);
    fact("after", base[3 * 4096]);
    void *refused = mmap(base + 4096, 4096, PROT_READ,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    outcome("noreplace over a mapping", (long)refused);
    munmap(base + 4096, 4096);
    void *taken = mmap(base + 4096, 4096, PROT_READ,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    fact("noreplace in the hole", taken == base + 4096);
    munmap(base + 4096, 4096);
    void *hint = mmap(base + 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fact("a free hint is taken", hint == base + 4096);
    void *other = mmap(base, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fact("a busy hint is not", other != base && other != MAP_FAILED);
    outcome("fixed unaligned", (long)mmap(base + 1, 4096, PROT_READ,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}
