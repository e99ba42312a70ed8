#include "facts.h"
#include <ucontext.h>

static void handler(int number, siginfo_t *info, void *context) {
    ucontext_t *user = context;
    printf("signal %d code %d own %d\n", info->si_signo, info->si_code, info->si_pid == getpid());
    fact("mask had USR2", sigismember(&user->uc_sigmask, SIGUSR2));
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    tell("now blocked", "USR1 %d USR2 %d TERM %d", sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2),
        sigismember(&now, SIGTERM));
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaddset(&action.sa_mask, SIGTERM);
    must(sigaction(SIGUSR1, &action, NULL));
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    must(kill(getpid(), SIGUSR1));
    must(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1));
    must(raise(SIGUSR1));
    union sigval value = {.sival_int = 4242};
    must(sigqueue(getpid(), SIGUSR1, value));
    sigprocmask(SIG_BLOCK, NULL, &mask);
    tell("mask afterwards", "USR1 %d USR2 %d TERM %d", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2),
        sigismember(&mask, SIGTERM));
    struct sigaction old;
    sigaction(SIGUSR1, NULL, &old);
    tell("installed", "%d %d", old.sa_sigaction == handler, (old.sa_flags & SA_SIGINFO) != 0);
    outcome("handler for KILL", sigaction(SIGKILL, &action, NULL));
    outcome("handler for STOP", sigaction(SIGSTOP, &action, NULL));
    outcome("handler for 65", sigaction(65, &action, NULL));
    outcome("kill with 65", kill(getpid(), 65));
    outcome("kill with 0", kill(getpid(), 0));
    outcome("kill nobody", kill(99999999, 0));
    outcome("tgkill of another group", syscall(SYS_tgkill, 99999999, syscall(SYS_gettid), 0));
}
