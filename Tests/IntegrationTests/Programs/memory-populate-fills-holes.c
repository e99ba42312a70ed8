#include "facts.h"

// MAP_POPULATE and MADV_POPULATE_ bring in what a sparse file does not have yet, and what they
// cannot have is left for faults.
static int resident(char *base, int pages) {
    unsigned char vector[64];
    int count = 0;
    must(mincore(base, pages * 4096, vector));
    for (int page = 0; page < pages; page++) count += vector[page] & 1;
    return count;
}

static long blocks(int file) {
    struct stat status;
    must(fstat(file, &status));
    return status.st_blocks;
}

int main(void) {
    int file = must(open("sparse", O_RDWR | O_CREAT | O_TRUNC, 0600));
    must(ftruncate(file, 16 * 4096));
    must(pwrite(file, "x", 1, 5 * 4096));
    fact("blocks of one page", blocks(file));
    char *all = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, file, 0);
    must(all == MAP_FAILED ? -1 : 0);
    fact("resident", resident(all, 16));
    fact("blocks of all", blocks(file));
    all[9 * 4096] = 'y';
    char byte = 0;
    must(pread(file, &byte, 1, 9 * 4096));
    fact("written through", byte);
    must(munmap(all, 16 * 4096));

    // Beyond the end there is nothing to bring in; the mapping is made all the same.
    must(ftruncate(file, 2 * 4096));
    char *longer = mmap(NULL, 4 * 4096, PROT_READ, MAP_SHARED | MAP_POPULATE, file, 0);
    must(longer == MAP_FAILED ? -1 : 0);
    fact("first byte", longer[0]);
    result("populate the file", madvise(longer, 2 * 4096, 22));
    result("populate beyond its end", madvise(longer, 4 * 4096, 22));
    must(munmap(longer, 4 * 4096));

    char *copy = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE, file, 0);
    must(copy == MAP_FAILED ? -1 : 0);
    copy[0] = 'z';
    must(pread(file, &byte, 1, 0));
    fact("a private copy stays private", byte);

    char *memory = map(8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_POPULATE);
    fact("anonymous", resident(memory, 8));
    must(madvise(memory, 8 * 4096, MADV_DONTNEED));
    result("populate for writing", madvise(memory, 4 * 4096, 23));
    fact("half", resident(memory, 8));
    must(munmap(memory + 4096, 4096));
    result("populate over a gap", madvise(memory, 4 * 4096, 22));
    must(mprotect(memory, 4096, PROT_NONE));
    result("populate what is not to be read", madvise(memory, 4096, 22));
    unlink("sparse");
    return 0;
}
