#include "facts.h"
#include <semaphore.h>

static pthread_barrier_t barrier;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t semaphore;
static int initialised, serial, value, phase[4];

static void initialise(void) { initialised++; }

static void *work(void *argument) {
    int which = (long)argument;
    pthread_once(&once, initialise);
    for (int round = 0; round < 100; round++) {
        phase[which] = round;
        if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_add_fetch(&serial, 1, 5);
        for (int other = 0; other < 4; other++) check(phase[other] == round);
        pthread_barrier_wait(&barrier);
        pthread_rwlock_wrlock(&lock);
        value++;
        pthread_rwlock_unlock(&lock);
        pthread_rwlock_rdlock(&lock);
        int seen = value;
        sched_yield();
        check(seen == value);
        pthread_rwlock_unlock(&lock);
    }
    sem_post(&semaphore);
    return NULL;
}

int main(void) {
    pthread_t threads[4];
    pthread_barrier_init(&barrier, NULL, 4);
    sem_init(&semaphore, 0, 0);
    for (long each = 0; each < 4; each++) pthread_create(&threads[each], NULL, work, (void *)each);
    for (int each = 0; each < 4; each++) sem_wait(&semaphore);
    for (int each = 0; each < 4; each++) pthread_join(threads[each], NULL);
    fact("initialised", initialised);
    fact("serial", serial);
    fact("value", value);
    outcome("trywait", sem_trywait(&semaphore));
}
