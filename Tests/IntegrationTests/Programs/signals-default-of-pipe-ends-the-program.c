#include "facts.h"

int main(void) {
    printf("about to end\n");
    kill(getpid(), SIGPIPE);
    sleep_ms(10000);
}
