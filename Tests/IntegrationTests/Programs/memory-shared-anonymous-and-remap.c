#include "facts.h"

int main(void) {
    char *base = map(4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED);
    fact("zero", base[5000]);
    memset(base, 2, 4 * 4096);
    madvise(base, 4096, MADV_DONTNEED);
    fact("dontneed keeps shared pages", base[0]);
    char *twin = mremap(base, 0, 4096, MREMAP_MAYMOVE);
    fact("a twin of the same pages", twin != MAP_FAILED && twin != base);
    twin[1] = 77;
    fact("seen through the other", base[1]);
    munmap(base, 4 * 4096);
    fact("lives on", twin[1]);
    int memory = syscall(SYS_memfd_create, "name", 1);
    outcome("memfd_create", memory);
    if (memory >= 0) {
        ftruncate(memory, 8192);
        char *one = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        char *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
        strcpy(one + 4090, "across a page");
        tell("memfd", "%s", two + 4090);
    }
}
