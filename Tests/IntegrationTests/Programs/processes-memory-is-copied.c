#include "facts.h"
#include <sys/wait.h>

enum { PAGES = 2000, PAGE = 4096 };
static int initialized = 1, zero;

static long sum(const char *memory) {
    long total = 0;
    for (long at = 0; at < (long)PAGES * PAGE; at += PAGE) total += memory[at];
    return total;
}

static void fill(char *memory, char value) {
    for (long at = 0; at < (long)PAGES * PAGE; at += PAGE) memory[at] = value;
}

int main(void) {
    char *private = map(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    char *shared = map(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
    char *untouched = map(PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    char *not_forked = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    char *wiped = map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    must(madvise(not_forked, PAGE, MADV_DONTFORK));
    must(madvise(wiped, PAGE, MADV_WIPEONFORK));
    int file = make_file("mapped", "of the file");
    char *mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    fill(private, 1);
    fill(shared, 1);
    wiped[0] = 9;
    mapped[0] = 'O';

    for (int child = 0; child < 3; child++) {
        if (fork() == 0) {
            fact("child's first sight", sum(private));
            fact("of what was not touched", sum(untouched));
            fact("of what is wiped", wiped[0]);
            tell("of the file's copy", "%s", mapped);
            unsigned char resident;
            outcome("of what is not forked", mincore(not_forked, PAGE, &resident));
            fill(private, 2 + child);
            fill(shared, 2 + child);
            fill(untouched, 3);
            initialized = zero = 100;
            mapped[1] = 'F';
            fact("child's own", sum(private));
            _exit(0);
        }
        must(wait(NULL));
        fact("parent's own", sum(private));
        fact("what they share", sum(shared));
        fact("what nobody else touched", sum(untouched));
        tell("variables", "%d %d", initialized, zero);
        tell("the file's copy", "%s", mapped);
    }

    // A child that lives longer than its parent's pages.
    int pipe_ends[2];
    must(pipe(pipe_ends));
    fill(private, 5);
    if (fork() == 0) {
        char byte;
        read(pipe_ends[0], &byte, 1);
        fact("after the parent wrote and unmapped", sum(private));
        _exit(0);
    }
    fill(private, 6);
    must(munmap(private, PAGES / 2 * PAGE));
    must(mprotect(private + PAGES / 2 * PAGE, PAGE, PROT_READ));
    must(write(pipe_ends[1], "", 1));
    must(wait(NULL));

    // Many generations.
    for (int depth = 0; depth < 8; depth++) {
        pid_t child = must(fork());
        if (child != 0) {
            int status;
            must(waitpid(child, &status, 0));
            _exit(WEXITSTATUS(status));
        }
        initialized++;
    }
    fact("the last generation's", initialized);
    _exit(initialized);
}
