#include "facts.h"
#include <sys/wait.h>

static volatile sig_atomic_t count;
static volatile pid_t sender;

static void note(int number, siginfo_t *information, void *context) {
    (void)number, (void)context;
    count++;
    sender = information->si_pid;
}

static void wait_ready(int *ends) {
    char byte;
    must(read(ends[0], &byte, 1));
}

int main(void) {
    int ready[2];
    must(pipe(ready));
    install(SIGUSR1, note, 0);
    sigset_t blocked, before;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigprocmask(SIG_BLOCK, &blocked, &before);

    // What is pending is not inherited; handlers and masks are.
    raise(SIGUSR1);
    pid_t child = must(fork());
    if (child == 0) {
        sigset_t pending;
        sigpending(&pending);
        fact("pending in the child", sigismember(&pending, SIGUSR1));
        write(ready[1], "", 1);
        while (!count) sigsuspend(&before);
        fact("the parent sent it", sender == getppid());
        _exit(count);
    }
    wait_ready(ready);
    must(kill(child, SIGUSR1));
    int status;
    must(wait(&status));
    fact("child's count", WEXITSTATUS(status));
    fact("parent's count", count);
    sigprocmask(SIG_SETMASK, &before, NULL);
    fact("parent's count, unblocked", count);

    // A group.
    count = 0;
    pid_t children[3];
    for (int each = 0; each < 3; each++) {
        children[each] = must(fork());
        if (children[each] == 0) {
            setpgid(0, each == 0 ? 0 : children[0]);
            write(ready[1], "", 1);
            while (!count) sleep_ms(1);
            _exit(50 + each);
        }
        wait_ready(ready);
    }
    must(kill(-children[0], SIGUSR1));
    int sum = 0;
    for (int each = 0; each < 3; each++) {
        must(waitpid(children[each], &status, 0));
        sum += WEXITSTATUS(status);
    }
    fact("sum of those in the group", sum);
    fact("not the parent", count);
    outcome("nobody there", kill(-children[0], 0));
    outcome("nor here", kill(children[0], 0));
    outcome("a zombie is", ({
        child = must(fork());
        if (child == 0) _exit(0);
        siginfo_t information;
        waitid(P_PID, child, &information, WEXITED | WNOWAIT);
        kill(child, SIGUSR1);
    }));
    must(wait(NULL));

    // execve keeps what is ignored and blocked, in a child too.
    outcome("not a child's group", setpgid(getppid(), 0));
    outcome("not a group of nobody", setpgid(0, 999999));

    // A timer is its process's own.
    child = must(fork());
    if (child == 0) {
        install(SIGALRM, note, 0);
        alarm(0);
        ualarm(2000, 0);
        while (!count) pause();
        _exit(count);
    }
    alarm(100);
    must(wait(&status));
    fact("child's alarm", WEXITSTATUS(status));
    fact("the parent's is still set", alarm(0) > 90);
}
