// cflags: -O0
#include "facts.h"

static void handler(int number, siginfo_t *info, void *context) {
    printf("signal %d in the thread\n", number);
    _exit(3);
}

static int descend(int depth) {
    volatile char frame[1024];
    frame[depth & 1023] = depth;
    return descend(depth + 1) + frame[depth & 1023];
}

static void *work(void *argument) {
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, NULL);
    return (void *)(long)descend(0);
}

int main(void) {
    install(SIGSEGV, handler, SA_ONSTACK);
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
}
