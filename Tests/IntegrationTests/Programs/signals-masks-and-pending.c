#include "facts.h"

static volatile int count;
static void handler(int number, siginfo_t *info, void *context) {
    count++;
    printf("handled %d value %d\n", number, info->si_code == SI_QUEUE ? info->si_value.sival_int : -1);
}

int main(void) {
    sigset_t mask, pending, old;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGRTMIN + 1);
    sigaddset(&mask, SIGRTMIN + 2);
    install(SIGUSR1, handler, 0);
    install(SIGRTMIN + 1, handler, 0);
    install(SIGRTMIN + 2, handler, 0);
    sigprocmask(SIG_BLOCK, &mask, &old);
    raise(SIGUSR1);
    raise(SIGUSR1);
    for (int each = 0; each < 3; each++) {
        sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = each + 20});
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = each + 10});
    }
    fact("handled while blocked", count);
    sigpending(&pending);
    tell("pending", "USR1 %d USR2 %d", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGUSR2));
    struct timespec none = {0, 0};
    siginfo_t info;
    sigset_t real;
    sigemptyset(&real);
    sigaddset(&real, SIGRTMIN + 1);
    fact("taken without a handler", sigtimedwait(&real, &info, &none) == SIGRTMIN + 1);
    fact("its value", info.si_value.sival_int);
    sigprocmask(SIG_SETMASK, &old, NULL);
    fact("a plain one counts once, queued ones each time", count);
    sigpending(&pending);
    fact("nothing pending", sigisemptyset(&pending));
    sigfillset(&mask);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigprocmask(SIG_SETMASK, NULL, &mask);
    tell("cannot be blocked", "KILL %d STOP %d", sigismember(&mask, SIGKILL), sigismember(&mask, SIGSTOP));
    outcome("unknown how", syscall(SYS_rt_sigprocmask, 9, &mask, NULL, 8));
    outcome("wrong size", syscall(SYS_rt_sigprocmask, 0, &mask, NULL, 4));
    outcome("bad pointer", syscall(SYS_rt_sigprocmask, 0, 8, NULL, 8));
}
