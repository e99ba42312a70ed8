#include "facts.h"

#define ROUNDS 20000
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t filled = PTHREAD_COND_INITIALIZER, emptied = PTHREAD_COND_INITIALIZER;
static int slots[8], count, head;

static void *produce(void *argument) {
    for (int each = 0; each < ROUNDS; each++) {
        pthread_mutex_lock(&mutex);
        while (count == 8) pthread_cond_wait(&emptied, &mutex);
        slots[(head + count++) % 8] = each;
        pthread_cond_signal(&filled);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *consume(void *argument) {
    long sum = 0;
    for (int each = 0; each < ROUNDS; each++) {
        pthread_mutex_lock(&mutex);
        while (count == 0) pthread_cond_wait(&filled, &mutex);
        sum += slots[head];
        head = (head + 1) % 8;
        count--;
        pthread_cond_broadcast(&emptied);
        pthread_mutex_unlock(&mutex);
    }
    return (void *)sum;
}

int main(void) {
    pthread_t threads[4];
    for (int each = 0; each < 4; each++) pthread_create(&threads[each], NULL, each < 2 ? produce : consume, NULL);
    long total = 0;
    for (int each = 0; each < 4; each++) {
        void *value;
        pthread_join(threads[each], &value);
        total += (long)value;
    }
    fact("total", total);
    fact("left", count);
    struct timespec past = {1, 0};
    pthread_mutex_lock(&mutex);
    tell("wait until the past", "%s", error_name(pthread_cond_timedwait(&filled, &mutex, &past)));
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
    tell("wait a little", "%s", error_name(pthread_cond_timedwait(&filled, &mutex, &soon)));
    tell("locked twice", "%s", error_name(pthread_mutex_trylock(&mutex)));
    tell("timed lock", "%s", error_name(pthread_mutex_timedlock(&mutex, &past)));
}
