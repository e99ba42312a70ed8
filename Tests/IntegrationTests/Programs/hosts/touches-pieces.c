// Maps and touches one MiB after the other, without end, and says so each time.
#include "../facts.h"

int main(void) {
    for (;;) {
        char *piece = map(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        for (int at = 0; at < 1 << 20; at += 4096) piece[at] = 1;
        puts(".");
    }
}
