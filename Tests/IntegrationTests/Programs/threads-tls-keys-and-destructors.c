#include "facts.h"

static pthread_key_t key;
static int destroyed;
static __thread char big[5000] = "initial";
static __thread int zeroed[100];
static __thread __attribute__((aligned(64))) char aligned[64];

static void destroy(void *value) { __atomic_add_fetch(&destroyed, (int)(long)value, 5); }

static void *work(void *argument) {
    check(strcmp(big, "initial") == 0);
    check(zeroed[99] == 0);
    check(((uintptr_t)aligned & 63) == 0);
    strcpy(big, "changed");
    zeroed[99] = 1;
    errno = (int)(long)argument;
    pthread_setspecific(key, argument);
    sched_yield();
    check(errno == (int)(long)argument);
    check(pthread_getspecific(key) == argument);
    return NULL;
}

int main(void) {
    pthread_key_create(&key, destroy);
    pthread_t threads[10];
    for (long each = 0; each < 10; each++) pthread_create(&threads[each], NULL, work, (void *)(each + 1));
    for (int each = 0; each < 10; each++) pthread_join(threads[each], NULL);
    fact("destroyed", destroyed);
    tell("first thread's own", "%s %d", big, zeroed[99]);
}
