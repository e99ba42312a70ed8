#include "facts.h"
#include <sys/wait.h>

static char memory[64 << 10];

int main(void) {
    int wrong = 0;
    for (int each = 0; each < 2000; each++) {
        pid_t child = must(fork());
        if (child == 0) {
            memory[each % sizeof memory] = 1;
            _exit(each & 127);
        }
        int status;
        if (waitpid(child, &status, 0) != child || WEXITSTATUS(status) != (each & 127)) wrong++;
    }
    fact("wrong", wrong);

    // Many at once.
    int ends[2];
    must(pipe(ends));
    for (int each = 0; each < 200; each++) {
        if (must(fork()) == 0) {
            char byte;
            close(ends[1]);
            _exit(read(ends[0], &byte, 1) != 0);
        }
    }
    close(ends[1]);
    int status, ended = 0;
    while (wait(&status) > 0) ended += status == 0;
    fact("ended together", ended);
}
