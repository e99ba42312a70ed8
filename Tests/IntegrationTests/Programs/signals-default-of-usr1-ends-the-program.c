#include "facts.h"

int main(void) {
    printf("about to end\n");
    kill(getpid(), SIGUSR1);
    sleep_ms(10000);
}
