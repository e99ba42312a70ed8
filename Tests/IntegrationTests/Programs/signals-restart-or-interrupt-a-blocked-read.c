#include "facts.h"

static int pipes[2];
static pthread_t reader;
static volatile int handled;

static void handler(int number, siginfo_t *info, void *context) { handled++; }

static void *poke(void *argument) {
    sleep_ms(30);
    pthread_kill(reader, SIGUSR1);
    sleep_ms(30);
    write(pipes[1], "x", 1);
    return NULL;
}

static void attempt(const char *name, int flags) {
    pthread_t thread;
    char byte;
    handled = 0;
    install(SIGUSR1, handler, flags);
    pthread_create(&thread, NULL, poke, NULL);
    result(name, read(pipes[0], &byte, 1));
    fact("handled", handled);
    pthread_join(thread, NULL);
    if (!(flags & SA_RESTART)) read(pipes[0], &byte, 1);
}

static void *poke_once(void *argument) {
    sleep_ms(30);
    pthread_kill(reader, SIGUSR1);
    return NULL;
}

int main(void) {
    must(pipe(pipes));
    reader = pthread_self();
    attempt("without restart", 0);
    attempt("with restart", SA_RESTART);
    pthread_t thread;
    install(SIGUSR1, handler, SA_RESTART);
    pthread_create(&thread, NULL, poke_once, NULL);
    struct timespec pause_time = {10, 0}, left = {0, 0};
    result("sleep is not restarted", nanosleep(&pause_time, &left));
    fact("time is left", left.tv_sec >= 9);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, poke_once, NULL);
    result("pause", pause());
    pthread_join(thread, NULL);
    signal(SIGUSR1, SIG_IGN);
    pthread_create(&thread, NULL, poke, NULL);
    char byte;
    result("an ignored signal does not interrupt", read(pipes[0], &byte, 1));
    pthread_join(thread, NULL);
}
