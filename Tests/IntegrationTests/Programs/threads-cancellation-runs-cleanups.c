#include "facts.h"

static volatile int ready, go;
static int pipes[2];
static int cleaned;

static void clean(void *argument) { cleaned += (int)(long)argument; }

static void *block_in_read(void *argument) {
    char byte;
    pthread_cleanup_push(clean, (void *)1);
    ready = 1;
    read(pipes[0], &byte, 1);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *block_in_sleep(void *argument) {
    pthread_cleanup_push(clean, (void *)10);
    ready = 1;
    sleep_ms(100000);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *block_in_condition(void *argument) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_cleanup_push(clean, (void *)100);
    ready = 1;
    pthread_cond_wait(&never, &mutex);
    pthread_cleanup_pop(0);
    return NULL;
}

static void *spin(void *argument) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    pthread_cleanup_push(clean, (void *)1000);
    ready = 1;
    for (;;) __asm__ volatile("pause");
    pthread_cleanup_pop(0);
    return NULL;
}

static void *disabled(void *argument) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    ready = 1;
    while (!go) sched_yield();
    pthread_cleanup_push(clean, (void *)10000);
    sleep_ms(5);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    pthread_testcancel();
    pthread_cleanup_pop(0);
    return NULL;
}

static void cancel(const char *name, void *(*body)(void *)) {
    pthread_t thread;
    void *value;
    go = ready = 0;
    pthread_create(&thread, NULL, body, NULL);
    while (!ready) sched_yield();
    // It may block meanwhile.
    sleep_ms(20);
    pthread_cancel(thread);
    go = 1;
    pthread_join(thread, &value);
    tell(name, "%s, cleaned %d", value == PTHREAD_CANCELED ? "cancelled" : "returned", cleaned);
}

int main(void) {
    must(pipe(pipes));
    cancel("read", block_in_read);
    cancel("sleep", block_in_sleep);
    cancel("condition", block_in_condition);
    cancel("spin", spin);
    cancel("disabled", disabled);
}
