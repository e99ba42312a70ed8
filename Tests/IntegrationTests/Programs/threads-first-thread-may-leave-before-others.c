#include "facts.h"

static pthread_t first;
static void *outlive(void *argument) {
    pthread_join(first, NULL);
    printf("the first thread is gone\n");
    sleep_ms(10);
    printf("still here\n");
    return NULL;
}

int main(void) {
    first = pthread_self();
    pthread_t thread;
    pthread_create(&thread, NULL, outlive, NULL);
    pthread_exit(NULL);
}
