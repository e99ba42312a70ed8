#include "facts.h"

static void *spin(void *argument) {
    for (;;) __asm__ volatile("pause");
}
static void *sleep_on(void *argument) {
    for (;;) sleep_ms(10000);
}
static void *leave(void *argument) {
    printf("leaving\n");
    exit(42);
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, spin, NULL);
    pthread_create(&thread, NULL, sleep_on, NULL);
    pthread_create(&thread, NULL, leave, NULL);
    pthread_join(thread, NULL);
    sleep_ms(100000);
}
