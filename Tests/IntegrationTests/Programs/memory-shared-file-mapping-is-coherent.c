#include "facts.h"

int main(void) {
    int file = make_file("shared", "0123456789");
    char *one = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *two = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    char *private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    tell("mapped", "%.10s", one);
    fact("beyond the end is zero", one[10] | one[4095]);
    one[3] = 'X';
    char buffer[16] = {0};
    fact("pread", pread(file, buffer, 15, 0));
    tell("read sees the store", "%s", buffer);
    tell("the other mapping too", "%.10s", two);
    pwrite(file, "YY", 2, 5);
    tell("mapping sees the write", "%.10s", one);
    tell("untouched private page too", "%.10s", private);
    private[0] = 'P';
    pwrite(file, "ZZ", 2, 8);
    pread(file, buffer, 15, 0);
    tell("private store stays private", "%s", buffer);
    tell("private page is a copy now", "%.10s", private);
    outcome("msync", msync(one, 4096, MS_SYNC));
    outcome("msync async and sync", msync(one, 4096, MS_SYNC | MS_ASYNC));
    outcome("msync unaligned", msync(one + 1, 4096, MS_SYNC));
    one[20] = 'n';
    struct stat status;
    fstat(file, &status);
    fact("a store beyond the end does not grow it", status.st_size);
    ftruncate(file, 5000);
    one[4096] = 'g';
    pread(file, buffer, 1, 4096);
    fact("after growing it", buffer[0]);
    close(file);
    one[0] = 'c';
    file = open("shared", O_RDONLY);
    pread(file, buffer, 10, 0);
    tell("mapping outlives the descriptor", "%.10s", buffer);
    outcome("shared write mapping of a read-only file",
        (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    char *readonly = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    outcome("mprotect it to writable", mprotect(readonly, 4096, PROT_READ | PROT_WRITE));
    int writeonly = open("shared", O_WRONLY);
    outcome("mapping of a write-only file", (long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, writeonly, 0));
    unlink("shared");
    tell("mapping outlives the name", "%.1s", two);
}
