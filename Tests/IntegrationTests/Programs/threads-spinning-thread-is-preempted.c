#include "facts.h"

static volatile int stop;
static volatile unsigned long turns[3];

static void *spin(void *argument) {
    int which = (long)argument;
    while (!stop) turns[which]++;
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    for (long each = 0; each < 3; each++) pthread_create(&threads[each], NULL, spin, (void *)each);
    while (!turns[0] || !turns[1] || !turns[2]) continue;
    printf("all three ran while nobody gave way\n");
    sleep_ms(30);
    printf("a sleeper came back\n");
    stop = 1;
    for (int each = 0; each < 3; each++) pthread_join(threads[each], NULL);
    printf("joined\n");
}
