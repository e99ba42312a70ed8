#include "facts.h"

static char **words;
static void *spin(void *argument) {
    for (;;) __asm__ volatile("pause");
}
static void *execute(void *argument) {
    execv("/proc/self/exe", words);
    return NULL;
}

int main(int count, char **arguments) {
    if (count > 1) {
        fact("first thread again", syscall(SYS_gettid) == getpid());
        fact("same process", getpid() == atoi(arguments[1]));
        return 0;
    }
    char number[16];
    sprintf(number, "%d", getpid());
    words = (char *[]){"again", number, NULL};
    pthread_t thread;
    pthread_create(&thread, NULL, spin, NULL);
    pthread_create(&thread, NULL, execute, NULL);
    for (;;) sleep_ms(1000);
}
