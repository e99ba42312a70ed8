#include "facts.h"

int main(void) {
    printf("about to end\n");
    kill(getpid(), SIGABRT);
    sleep_ms(10000);
}
