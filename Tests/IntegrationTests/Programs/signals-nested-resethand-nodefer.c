#include "facts.h"

static volatile int depth, deepest, order[16], length;

static void nodefer(int number, siginfo_t *info, void *context) {
    if (++depth > deepest) deepest = depth;
    if (depth < 5) raise(number);
    depth--;
}
static void deferred(int number, siginfo_t *info, void *context) {
    if (++depth > deepest) deepest = depth;
    if (length++ < 3) raise(number);
    depth--;
}
static void note(int number, siginfo_t *info, void *context) { order[length++] = number; }

int main(void) {
    install(SIGUSR1, nodefer, SA_NODEFER);
    raise(SIGUSR1);
    fact("deepest with NODEFER", deepest);
    deepest = 0;
    install(SIGUSR1, deferred, 0);
    raise(SIGUSR1);
    fact("deepest without", deepest);
    fact("runs", length);
    length = 0;
    install(SIGHUP, note, 0);
    install(SIGTERM, note, 0);
    install(SIGINT, note, 0);
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    raise(SIGTERM), raise(SIGHUP), raise(SIGINT);
    sigprocmask(SIG_SETMASK, &old, NULL);
    fact("all three", length);
    install(SIGUSR2, note, SA_RESETHAND);
    raise(SIGUSR2);
    struct sigaction now;
    sigaction(SIGUSR2, NULL, &now);
    fact("reset to default", now.sa_handler == SIG_DFL);
    printf("the second one ends it\n");
    raise(SIGUSR2);
}
