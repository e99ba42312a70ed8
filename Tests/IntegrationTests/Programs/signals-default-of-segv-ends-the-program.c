#include "facts.h"

int main(void) {
    printf("about to end\n");
    kill(getpid(), SIGSEGV);
    sleep_ms(10000);
}
