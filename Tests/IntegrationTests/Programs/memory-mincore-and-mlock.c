#include "facts.h"

int main(void) {
    char *base = map(4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    unsigned char resident[4] = {9, 9, 9, 9};
    base[2 * 4096] = 1;
    outcome("mincore", mincore(base, 4 * 4096, resident));
    fact("touched page", resident[2] & 1);
    fact("untouched page", resident[0] & 1);
    outcome("mlock", mlock(base, 4 * 4096));
    mincore(base, 4 * 4096, resident);
    tell("locked pages are there", "%d %d", resident[0] & 1, resident[3] & 1);
    outcome("munlock", munlock(base, 4 * 4096));
    outcome("mlockall", mlockall(MCL_CURRENT));
    outcome("munlockall", munlockall());
    outcome("mlockall nonsense", mlockall(64));
    outcome("mincore unaligned", mincore(base + 1, 4096, resident));
    munmap(base + 4096, 4096);
    outcome("mincore over a hole", mincore(base, 4 * 4096, resident));
    outcome("mlock over a hole", mlock(base, 4 * 4096));
    outcome("mincore bad vector", mincore(base, 4096, (void *)8));
}
