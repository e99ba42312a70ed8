#include "facts.h"

static volatile pid_t taken[2];
static volatile int ready, done;

static void note(int number, siginfo_t *info, void *context) { taken[number == SIGUSR2] = syscall(SYS_gettid); }

static volatile pid_t other;
static void *wait_open(void *argument) {
    sigset_t none;
    sigemptyset(&none);
    other = syscall(SYS_gettid);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    ready = 1;
    while (!done) sleep_ms(1);
    return NULL;
}

int main(void) {
    sigset_t all;
    sigfillset(&all);
    install(SIGUSR1, note, 0);
    install(SIGUSR2, note, 0);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, wait_open, NULL);
    while (!ready) sched_yield();
    kill(getpid(), SIGUSR1);
    while (!taken[0]) sched_yield();
    fact("the open thread took it", taken[0] == other);
    pthread_kill(thread, SIGUSR2);
    while (!taken[1]) sched_yield();
    fact("sent to it alone", taken[1] == other);
    done = 1;
    pthread_join(thread, NULL);
    raise(SIGUSR1);
    sigset_t pending;
    sigpending(&pending);
    fact("mine waits", sigismember(&pending, SIGUSR1));
}
