#include "facts.h"
#include <sys/resource.h>

int main(void) {
    struct rlimit limit = {256 << 20, 256 << 20};
    must(setrlimit(RLIMIT_AS, &limit));
    int blocks = 0;
    while (blocks < 1000 && mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) blocks++;
    fact("about fifteen", blocks >= 13 && blocks <= 16);
    outcome("one more", (long)mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    fact("malloc says so too", malloc(64 << 20) == NULL);
    limit.rlim_cur = limit.rlim_max = 1 << 20;
    must(setrlimit(RLIMIT_DATA, &limit));
    char *end = sbrk(0);
    fact("the heap too", syscall(SYS_brk, end + (8 << 20)) == (long)end);
}
