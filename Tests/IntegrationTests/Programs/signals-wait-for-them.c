#include "facts.h"

static pthread_t first;
static void *send(void *argument) {
    sleep_ms(30);
    pthread_kill(first, (int)(long)argument);
    return NULL;
}
static void note(int number, siginfo_t *info, void *context) { printf("handler %d\n", number); }

int main(void) {
    first = pthread_self();
    sigset_t mask, one;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigaddset(&mask, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &mask, NULL);
    pthread_t thread;
    int number = 0;
    pthread_create(&thread, NULL, send, (void *)SIGUSR1);
    fact("sigwait", sigwait(&mask, &number)), fact("number", number);
    pthread_join(thread, NULL);
    struct timespec little = {0, 20000000};
    result("nothing comes", sigtimedwait(&mask, NULL, &little));
    raise(SIGUSR2);
    siginfo_t info;
    result("what was pending", sigwaitinfo(&mask, &info));
    fact("code", info.si_code == SI_TKILL);
    install(SIGUSR1, note, 0);
    pthread_create(&thread, NULL, send, (void *)SIGUSR1);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    result("suspend", sigsuspend(&one));
    pthread_join(thread, NULL);
    sigprocmask(SIG_BLOCK, NULL, &one);
    tell("mask is back", "%d %d", sigismember(&one, SIGUSR1), sigismember(&one, SIGUSR2));
    raise(SIGUSR1);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    result("suspend with one pending", sigsuspend(&one));
}
