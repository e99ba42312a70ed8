#include "facts.h"

int main(void) {
    printf("about to end\n");
    kill(getpid(), SIGRTMIN+3);
    sleep_ms(10000);
}
