// One thread never calls the kernel, another one sleeps again and again.
#include "../facts.h"

static void *compute(void *argument) {
    for (;;) __asm__ volatile("");
    return argument;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, compute, NULL);
    for (;;) sleep_ms(1);
}
