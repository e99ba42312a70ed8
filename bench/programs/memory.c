// Mappings and page faults.
#include "bench.h"

static void map_unmap(long count) {
    while (count--) {
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        munmap(page, 4096);
    }
}
static void map_touch_unmap(long count) {
    while (count--) {
        char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *page = 1;
        munmap(page, 4096);
    }
}

// An operation is one fresh page touched; mapping is spread over 4,096 of them. Huge pages would
// hide the faults, so they are declined.
static void touch(long count) {
    enum { pages = 4096 };
    while (count > 0) {
        long now = count < pages ? count : pages;
        char *base = mmap(NULL, pages * 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(base, pages * 4096L, MADV_NOHUGEPAGE);
        for (long page = 0; page < now; page++) base[page * 4096] = 1;
        munmap(base, pages * 4096L);
        count -= now;
    }
}
static void protect(long count) {
    static char *base;
    if (!base) base = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    while (count--) mprotect(base, 4096, count & 1 ? PROT_READ : PROT_READ | PROT_WRITE);
}

int main(int count, char **arguments) {
    BENCH("page-fault", touch);
    BENCH("map-unmap", map_unmap);
    BENCH("map-touch-unmap", map_touch_unmap);
    BENCH("mprotect", protect);
}
