#include "facts.h"
#include <sys/wait.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int stop, spins;

static void *spin(void *argument) {
    while (!stop) spins++;
    return argument;
}

static void *lock_now_and_then(void *argument) {
    while (!stop) {
        pthread_mutex_lock(&mutex);
        sleep_ms(1);
        pthread_mutex_unlock(&mutex);
        // Others have a chance, on one processor too.
        sleep_ms(5);
    }
    return argument;
}

static void before(void) { pthread_mutex_lock(&mutex); }
static void after(void) { pthread_mutex_unlock(&mutex); }

static void *fork_here(void *argument) {
    pid_t child = fork();
    if (child == 0) {
        check(getpid() == syscall(SYS_gettid));
        pthread_exit(NULL);  // The last thread: the process ends with 0.
    }
    int status;
    must(waitpid(child, &status, 0));
    fact("status of a child that another thread made", WEXITSTATUS(status));
    return argument;
}

int main(void) {
    pthread_t threads[3];
    pthread_atfork(before, after, after);
    pthread_create(&threads[0], NULL, spin, NULL);
    pthread_create(&threads[1], NULL, lock_now_and_then, NULL);
    for (int each = 0; each < 10; each++) {
        pid_t child = must(fork());
        if (child == 0) {
            // Alone, with a lock that nobody holds, and threads of its own.
            pthread_t own;
            int seen = spins;
            sleep_ms(2);
            check(spins == seen);
            pthread_mutex_lock(&mutex);
            pthread_mutex_unlock(&mutex);
            stop = 1;
            pthread_create(&own, NULL, spin, (void *)&stop);
            void *answer;
            pthread_join(own, &answer);
            _exit(answer == &stop ? 11 : 12);
        }
        int status;
        must(waitpid(child, &status, 0));
        if (WEXITSTATUS(status) != 11) fact("status", status);
    }
    pthread_create(&threads[2], NULL, fork_here, NULL);
    pthread_join(threads[2], NULL);
    stop = 1;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    tell("all", "ended");
}
