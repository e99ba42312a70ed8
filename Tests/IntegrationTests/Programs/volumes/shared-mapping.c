// A folder of the host's: shared mappings are read, and not written.
#include "facts.h"

int main(int count, char **arguments) {
    int file = must(open(arguments[1], O_CREAT | O_RDWR, 0600));
    must(ftruncate(file, 4096));
    void *writable = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    outcome("writable", writable == MAP_FAILED ? -1 : 0);
    char *readable = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    outcome("readable", readable == MAP_FAILED ? -1 : 0);
    outcome("made writable", mprotect(readable, 4096, PROT_READ | PROT_WRITE));
    must(pwrite(file, "written", 7, 0));
    printf("%.7s\n", readable);
    return 0;
}
