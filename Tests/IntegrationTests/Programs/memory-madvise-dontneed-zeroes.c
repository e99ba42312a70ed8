#include "facts.h"

int main(void) {
    char *base = map(8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    memset(base, 6, 8 * 4096);
    outcome("dontneed", madvise(base + 4096, 2 * 4096, MADV_DONTNEED));
    tell("bytes", "%d %d %d %d", base[0], base[4096], base[2 * 4096], base[3 * 4096]);
    base[4096] = 1;
    fact("written again", base[4096]);
    outcome("unaligned", madvise(base + 1, 4096, MADV_DONTNEED));
    outcome("unknown", madvise(base, 4096, 12345));
    outcome("willneed", madvise(base, 4096, MADV_WILLNEED));
    outcome("sequential", madvise(base, 4096, MADV_SEQUENTIAL));
    outcome("free", madvise(base, 4096, MADV_FREE));
    munmap(base + 4 * 4096, 4096);
    outcome("over a hole", madvise(base, 8 * 4096, MADV_DONTNEED));

    int file = make_file("advised", "file content");
    ftruncate(file, 4096);
    char *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    strcpy(mapped, "private text");
    madvise(mapped, 4096, MADV_DONTNEED);
    tell("a private file page is the file's again", "%s", mapped);
    unlink("advised");
}
