#include "facts.h"

int main(void) {
    int pipes[2];
    must(pipe(pipes));
    close(pipes[0]);
    signal(SIGPIPE, SIG_IGN);
    result("ignored", write(pipes[1], "x", 1));
    signal(SIGPIPE, SIG_DFL);
    printf("now by default\n");
    write(pipes[1], "x", 1);
    printf("never\n");
}
