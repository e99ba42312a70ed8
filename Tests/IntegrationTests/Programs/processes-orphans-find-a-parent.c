#include "facts.h"
#include <sys/prctl.h>
#include <sys/wait.h>

// The orphan's parent before and after, told by a pipe.
static void run(const char *name, int becomes_subreaper) {
    int ends[2], go[2];
    must(pipe(ends));
    must(pipe(go));
    if (becomes_subreaper) must(prctl(PR_SET_CHILD_SUBREAPER, 1));
    pid_t middle = must(fork());
    if (middle == 0) {
        if (fork() == 0) {
            pid_t before = getppid();
            must(write(ends[1], "", 1));
            char byte;
            read(go[0], &byte, 1);
            pid_t facts[3] = {before, getppid(), getpid()};
            write(ends[1], facts, sizeof facts);
            _exit(7);
        }
        char byte;
        must(read(ends[0], &byte, 1));
        _exit(0);
    }
    must(waitpid(middle, NULL, 0));
    must(write(go[1], "", 1));
    pid_t facts[3];
    must(read(ends[0], facts, sizeof facts));
    tell(name, "%s, then %s", facts[0] == middle ? "its parent" : "another",
        facts[1] == getpid() ? "the subreaper" : facts[1] == middle ? "the dead" : "the system");
    if (becomes_subreaper) {
        int status;
        fact("the subreaper waits for it", waitpid(facts[2], &status, 0) == facts[2]);
        fact("status", WEXITSTATUS(status));
    }
    result("no child is left", wait(NULL));
}

static volatile int signalled;
static void note(int number, siginfo_t *information, void *context) {
    (void)number, (void)information, (void)context;
    signalled++;
}

int main(void) {
    run("orphan", 0);
    run("orphan of a subreaper's child", 1);
    int ends[2];
    must(pipe(ends));
    if (fork() == 0) {
        if (fork() == 0) {
            install(SIGUSR1, note, 0);
            must(prctl(PR_SET_PDEATHSIG, SIGUSR1));
            write(ends[1], "r", 1);
            while (!signalled) sleep_ms(1);
            write(ends[1], "s", 1);
            _exit(0);
        }
        char byte;
        read(ends[0], &byte, 1);
        _exit(0);
    }
    must(wait(NULL));
    char byte = 0;
    must(read(ends[0], &byte, 1));
    tell("parent-death signal", "%c", byte);
}
