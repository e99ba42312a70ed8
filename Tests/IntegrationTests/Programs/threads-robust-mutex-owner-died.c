#include "facts.h"

static pthread_mutex_t mutex, lost;

static void *die(void *argument) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_lock(&lost);
    return NULL;
}

static void *wait_for_it(void *argument) {
    int error = pthread_mutex_lock(&lost);
    return (void *)(long)error;
}

static pthread_mutex_t slow;
static void *die_later(void *argument) {
    pthread_mutex_lock(&slow);
    sleep_ms(50);
    return NULL;
}

int main(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex, &attributes);
    pthread_mutex_init(&lost, &attributes);
    pthread_mutex_init(&slow, &attributes);
    pthread_t thread;
    pthread_create(&thread, NULL, die, NULL);
    pthread_join(thread, NULL);
    tell("owner is dead", "%s", error_name(pthread_mutex_lock(&mutex)));
    tell("made consistent", "%s", error_name(pthread_mutex_consistent(&mutex)));
    tell("unlock", "%s", error_name(pthread_mutex_unlock(&mutex)));
    tell("lock as usual", "%s", error_name(pthread_mutex_lock(&mutex)));
    void *error;
    pthread_create(&thread, NULL, wait_for_it, NULL);
    pthread_join(thread, &error);
    tell("in another thread", "%s", error_name((int)(long)error));
    tell("which died with it as well", "%s", error_name(pthread_mutex_lock(&lost)));
    pthread_mutex_unlock(&lost);
    tell("never made consistent", "%s", error_name(pthread_mutex_lock(&lost)));
    pthread_create(&thread, NULL, die_later, NULL);
    sleep_ms(10);
    while (pthread_mutex_trylock(&slow) == 0) pthread_mutex_unlock(&slow), sleep_ms(1);
    tell("woken by the death", "%s", error_name(pthread_mutex_lock(&slow)));
    pthread_join(thread, NULL);
}
