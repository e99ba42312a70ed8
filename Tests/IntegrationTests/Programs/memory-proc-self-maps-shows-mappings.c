#include "facts.h"

static char line[512];

static int find(void *address, char *out) {
    FILE *maps = fopen("/proc/self/maps", "r");
    int found = 0;
    while (fgets(line, sizeof line, maps)) {
        unsigned long low, high, offset, inode;
        char permissions[8];
        if (sscanf(line, "%lx-%lx %7s %lx %*s %lu", &low, &high, permissions, &offset, &inode) != 5) {
            printf("odd line: %s", line);
        }
        if ((uintptr_t)address >= low && (uintptr_t)address < high) {
            sprintf(out, "%s", permissions);
            found = 1;
        }
    }
    fclose(maps);
    return found;
}

int main(void) {
    char permissions[8] = "";
    int here;
    static int data = 1;
    char *base = map(3 * 4096, PROT_READ, MAP_PRIVATE);
    mprotect(base + 4096, 4096, PROT_READ | PROT_WRITE);
    mprotect(base + 2 * 4096, 4096, PROT_NONE);
    find(base, permissions), tell("read", "%s", permissions);
    find(base + 4096, permissions), tell("write", "%s", permissions);
    find(base + 2 * 4096, permissions), tell("none", "%s", permissions);
    find((void *)main, permissions), tell("text", "%s", permissions);
    find(&data, permissions), tell("data", "%s", permissions);
    find(&here, permissions), tell("stack", "%s", permissions);
    munmap(base, 3 * 4096);
    fact("gone", find(base + 4096, permissions));
    int file = make_file("mapped-file", "x");
    char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    find(shared, permissions), tell("shared file", "%s", permissions);
    FILE *maps = fopen("/proc/self/maps", "r");
    int stack = 0, named = 0;
    while (fgets(line, sizeof line, maps)) {
        stack += strstr(line, "[stack]") != NULL;
        named += strstr(line, "/mapped-file") != NULL;
    }
    fact("stack lines", stack);
    fact("file lines", named);
    unlink("mapped-file");
}
