#include "facts.h"

#define COUNT 2000

int main(void) {
    static char *base[COUNT];
    unsigned seed = 12345;
    for (int each = 0; each < COUNT; each++) {
        seed = seed * 1103515245 + 12345;
        size_t pages = 1 + (seed >> 16) % 7;
        base[each] = map(pages * 4096, each & 1 ? PROT_READ | PROT_WRITE : PROT_READ, MAP_PRIVATE);
        if (each & 1) memset(base[each], each, pages * 4096);
    }
    int right = 0;
    for (int each = 1; each < COUNT; each += 2) right += base[each][100] == (char)each;
    fact("right", right);
    for (int each = 0; each < COUNT; each += 3) munmap(base[each], 4096);
    for (int each = 0; each < COUNT; each += 3) {
        char *again = mmap(base[each], 4096, PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        check(again == base[each]);
        check(again[0] == 0);
    }
    right = 0;
    for (int each = 1; each < COUNT; each += 2) right += each % 3 == 0 || base[each][100] == (char)each;
    fact("right after holes", right);
    char *wide = map(1000 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (int page = 0; page < 1000; page += 2) mprotect(wide + page * 4096, 4096, PROT_NONE);
    outcome("join again", mprotect(wide, 1000 * 4096, PROT_READ | PROT_WRITE));
    memset(wide, 1, 1000 * 4096);
    fact("written", wide[999 * 4096]);
}
