#include "facts.h"

static long show(void *start, size_t size, int protection, size_t page, int flags) {
    return syscall(SYS_remap_file_pages, start, size, protection, page, flags);
}

int main(void) {
    char text[4096 * 8];
    for (int page = 0; page < 8; page++) memset(text + page * 4096, 'a' + page, 4096);
    int file = must(open("pages", O_RDWR | O_CREAT | O_TRUNC, 0600));
    must(write(file, text, sizeof text));
    char *shared = mmap(NULL, sizeof text, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *private = mmap(NULL, sizeof text, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    result("one page", show(shared, 4096, 0, 5, 0));
    result("two pages", show(shared + 4096 * 2, 8192, 0, 0, 0));
    for (int page = 0; page < 8; page++) printf("%c", shared[page * 4096]);
    printf("\n");
    shared[0] = 'X';
    must(pread(file, text, 1, 4096 * 5)), tell("written", "%c", text[0]);
    result("more than one mapping", show(shared, sizeof text, 0, 0, 0));
    for (int page = 0; page < 8; page++) printf("%c", shared[page * 4096]);
    printf("\n");
    result("not aligned", show(shared + 100, 5000, 0, 7, 0)), tell("shows", "%c", shared[0]);
    result("protection", show(shared, 4096, PROT_READ, 5, 0));
    result("of nothing", show(shared, 100, 0, 5, 0));
    result("private", show(private, 4096, 0, 5, 0));
    result("not mapped", show((void *)0x10000, 4096, 0, 5, 0));
    result("wraps", show(shared, -4096, 0, 5, 0));
    result("page wraps", show(shared, 8192, 0, -1, 0));
    munmap(shared + 4096 * 4, 4096);
    result("a hole", show(shared, 4096 * 6, 0, 0, 0));
    char *memory = map(8192, PROT_READ | PROT_WRITE, MAP_SHARED);
    memory[4096] = 'm';
    result("memory", show(memory, 4096, 0, 1, 0)), tell("shows", "%c", memory[0]);
    unlink("pages");
    return 0;
}
