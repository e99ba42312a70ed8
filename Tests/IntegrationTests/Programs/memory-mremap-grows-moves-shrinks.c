#include "facts.h"

int main(void) {
    char *arena = map(64 * 4096, PROT_NONE, MAP_PRIVATE);
    char *base = mmap(arena, 2 * 4096, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    strcpy(base, "first");
    strcpy(base + 4096, "second");
    outcome("grow blocked in place", (long)mremap(base, 2 * 4096, 4 * 4096, 0));
    char *moved = mremap(base, 2 * 4096, 4 * 4096, MREMAP_MAYMOVE);
    fact("moved", moved != base);
    tell("content", "%s %s %d", moved, moved + 4096, moved[3 * 4096]);
    strcpy(moved + 3 * 4096, "fourth");
    char *shrunk = mremap(moved, 4 * 4096, 4096, 0);
    fact("shrinks in place", shrunk == moved);
    tell("after shrinking", "%s", shrunk);
    char *grown = mremap(shrunk, 4096, 2 * 4096, 0);
    fact("grows where free", grown == shrunk);
    fact("fresh page", grown[4096]);
    munmap(arena, 64 * 4096);
    char *place = mremap(grown, 2 * 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, arena + 8 * 4096);
    fact("fixed", place == arena + 8 * 4096);
    tell("after fixed", "%s", place);
    outcome("old place is gone", mprotect(grown, 4096, PROT_READ));
    outcome("fixed alone", (long)mremap(place, 4096, 4096, MREMAP_FIXED, arena));
    outcome("length 0", (long)mremap(place, 4096, 0, 0));
    outcome("unaligned", (long)mremap(place + 1, 4096, 8192, MREMAP_MAYMOVE));
    outcome("of nothing", (long)mremap(arena + 32 * 4096, 4096, 8192, MREMAP_MAYMOVE));
    char *big = map(16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (int at = 0; at < 16 << 20; at += 4096) big[at] = at >> 12;
    big = mremap(big, 16 << 20, 32 << 20, MREMAP_MAYMOVE);
    int same = 0;
    for (int at = 0; at < 16 << 20; at += 4096) same += big[at] == (char)(at >> 12);
    fact("pages kept", same);
}
