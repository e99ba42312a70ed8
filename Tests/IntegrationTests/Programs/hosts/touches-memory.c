// Touches as many MiB as its argument says, from a mapping or with "brk" from the heap, and tells
// what /proc/meminfo and sysinfo(2) make of it.
#include "../facts.h"

#include <sys/sysinfo.h>

static long free_in_meminfo(void) {
    char line[200];
    long kilobytes = -1;
    FILE *file = fopen("/proc/meminfo", "r");
    while (file && fgets(line, sizeof line, file)) sscanf(line, "MemFree: %ld", &kilobytes);
    fclose(file);
    return kilobytes >> 10;
}

int main(int count, char **arguments) {
    size_t size = (size_t)atol(arguments[1]) << 20;
    int grows = count > 2;
    struct sysinfo system;
    sysinfo(&system);
    fact("total", system.totalram >> 20);
    long before = free_in_meminfo();
    char *memory;
    if (grows) {
        // musl's sbrk(3) moves nothing.
        memory = (char *)syscall(SYS_brk, 0);
        check((char *)syscall(SYS_brk, memory + size) == memory + size);
    } else {
        memory = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    }
    for (size_t at = 0; at < size; at += 4096) memory[at] = 1;
    long taken = before - free_in_meminfo();
    sysinfo(&system);
    tell("counted", "%d", labs(taken - atol(arguments[1])) <= 2);
    tell("alike", "%d", labs((long)(system.freeram >> 20) - free_in_meminfo()) <= 2);
    if (!grows) munmap(memory, size);
    tell("given back", "%d", grows || labs(before - free_in_meminfo()) <= 2);
    return 0;
}
