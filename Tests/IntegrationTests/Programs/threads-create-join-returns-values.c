#include "facts.h"

static __thread int own = 5;
static int shared;

static void *work(void *argument) {
    own += (int)(long)argument;
    __atomic_add_fetch(&shared, own, __ATOMIC_SEQ_CST);
    return (void *)(long)own;
}

int main(void) {
    pthread_t threads[16];
    for (long each = 0; each < 16; each++) pthread_create(&threads[each], NULL, work, (void *)each);
    long sum = 0;
    for (int each = 0; each < 16; each++) {
        void *value;
        pthread_join(threads[each], &value);
        sum += (long)value;
    }
    fact("sum", sum);
    fact("shared", shared);
    fact("own of the first thread", own);
}
