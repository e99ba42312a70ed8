#include "facts.h"

static pthread_mutex_t mutex;
static long counter;

static void *work(void *argument) {
    for (int each = 0; each < 2000; each++) {
        pthread_mutex_lock(&mutex);
        long seen = counter;
        if (each % 64 == 0) sched_yield();
        counter = seen + 1;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

int main(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    int error = pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
    tell("protocol", "%s", error_name(error));
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attributes);
    pthread_t threads[6];
    for (int each = 0; each < 6; each++) pthread_create(&threads[each], NULL, work, NULL);
    for (int each = 0; each < 6; each++) pthread_join(threads[each], NULL);
    fact("counter", counter);
    pthread_mutex_lock(&mutex);
    tell("again", "%s", error_name(pthread_mutex_lock(&mutex)));
    pthread_mutex_unlock(&mutex);
    tell("unlock of an open one", "%s", error_name(pthread_mutex_unlock(&mutex)));
}
