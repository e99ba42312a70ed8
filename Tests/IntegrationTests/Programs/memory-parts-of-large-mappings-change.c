// What is done to a few pages in the midst of much memory leaves the rest as it was.
#include "facts.h"
#include <setjmp.h>

enum { page = 4096, large = 2 << 20, size = 24 << 20 };

static sigjmp_buf place;

static void jump(int signal) { siglongjmp(place, signal); }

static void fill(char *memory, size_t length, unsigned seed) {
    for (size_t at = 0; at < length; at += page) *(unsigned *)(memory + at) = seed + at / page;
}

// How many pages hold what `fill` left there, how many are zero, and how many cannot be read.
static void look(const char *name, char *memory, size_t length, unsigned seed) {
    int kept = 0, zero = 0, other = 0;
    volatile int refused = 0;
    for (volatile size_t at = 0; at < length; at += page) {
        if (sigsetjmp(place, 1)) {
            refused++;
            continue;
        }
        unsigned value = *(volatile unsigned *)(memory + at);
        if (value == seed + at / page) kept++;
        else if (value == 0) zero++;
        else other++;
    }
    tell(name, "%d kept, %d zero, %d refused, %d other", kept, zero, refused, other);
}

static int is_writable(char *memory) {
    if (sigsetjmp(place, 1)) return 0;
    *(volatile char *)memory = 0x55;
    return 1;
}

int main(void) {
    signal(SIGSEGV, jump);
    char *memory = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(memory, size, 1);
    look("filled", memory, size, 1);

    munmap(memory + 9 * large + 5 * page, 7 * page);
    look("with a hole", memory, size, 1);
    mprotect(memory + 4 * large + page, 3 * page, PROT_NONE);
    look("with pages refused", memory, size, 1);
    mprotect(memory + 4 * large + page, 3 * page, PROT_READ);
    look("with pages allowed again", memory, size, 1);
    fact("read-only", is_writable(memory + 4 * large + 2 * page));
    fact("behind it", is_writable(memory + 4 * large + 4 * page + 64));
    madvise(memory + 5 * large - 2 * page, 4 * page, MADV_DONTNEED);
    look("with pages given up", memory, size, 1);
    mprotect(memory, size, PROT_NONE);
    fact("all refused", is_writable(memory));
    mprotect(memory, size, PROT_READ | PROT_WRITE);
    look("all allowed", memory, size, 1);

    // Three large pieces and a little, from the midst of one to the midst of another.
    char *target = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    fill(target, size, 70000);
    size_t length = 3 * large + 9 * page;
    char *moved = mremap(memory + large + 3 * page, length, length, MREMAP_MAYMOVE | MREMAP_FIXED,
                         target + 2 * large - 4 * page);
    fact("moved", moved == target + 2 * large - 4 * page);
    look("what was left", memory, size, 1);
    look("what was moved", moved, 2 * large, 1 + 512 + 3);
    look("around it", target, size, 70000);
    char *grown = mremap(target, size, 2 * size, MREMAP_MAYMOVE);
    if (grown != MAP_FAILED) fact("grown in parts", 1);
    munmap(memory, size);
    char *again = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    look("new", again, size, 1);
}
