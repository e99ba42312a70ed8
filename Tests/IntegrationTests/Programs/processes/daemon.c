#include "../facts.h"

int main(void) {
    if (must(fork()) == 0) {
        setsid();
        if (must(fork()) == 0) {
            while (getppid() != 1) sleep_ms(1);
            sleep_ms(20);
            tell("daemon", "still there");
            _exit(9);
        }
        _exit(0);
    }
    tell("program", "ends");
    return 3;
}
