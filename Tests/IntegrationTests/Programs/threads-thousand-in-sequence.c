#include "facts.h"

static int count;
static void *work(void *argument) {
    char stack[20000];
    memset(stack, 1, sizeof stack);
    count += stack[argument ? 5 : 6];
    return argument;
}

int main(void) {
    for (long each = 1; each <= 1000; each++) {
        pthread_t thread;
        void *value;
        if (pthread_create(&thread, NULL, work, (void *)each)) return 1;
        pthread_join(thread, &value);
        check(value == (void *)each);
    }
    fact("count", count);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    for (long each = 1; each <= 200; each++) {
        pthread_t thread;
        int before = count;
        if (pthread_create(&thread, &attributes, work, (void *)each)) return 1;
        while (__atomic_load_n(&count, __ATOMIC_SEQ_CST) == before) sched_yield();
    }
    fact("with detached ones", count);
}
