#include "facts.h"

#define COUNT 400
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t all = PTHREAD_COND_INITIALIZER;
static int arrived;

static void *work(void *argument) {
    pthread_mutex_lock(&mutex);
    if (++arrived == COUNT) pthread_cond_broadcast(&all);
    while (arrived < COUNT) pthread_cond_wait(&all, &mutex);
    pthread_mutex_unlock(&mutex);
    return argument;
}

int main(void) {
    static pthread_t threads[COUNT];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 65536);
    for (long each = 0; each < COUNT; each++) {
        if (pthread_create(&threads[each], &attributes, work, (void *)each)) return 1;
    }
    long sum = 0;
    for (int each = 0; each < COUNT; each++) {
        void *value;
        pthread_join(threads[each], &value);
        sum += (long)value;
    }
    fact("sum", sum);
}
