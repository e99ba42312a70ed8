// Children that share the memory of their parent, and then do not. argument: MiB
#include "../facts.h"
#include <sys/wait.h>

static void make_children(char *memory, size_t size, int writes) {
    for (int each = 0; each < 4; each++) {
        if (must(fork()) == 0) {
            if (writes) memset(memory, 2, size);
            sleep_ms(300);
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {}
}

int main(int count, char **arguments) {
    size_t size = (size_t)(count > 1 ? atoi(arguments[1]) : 1) << 20;
    char *memory = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    memset(memory, 1, size);
    make_children(memory, size, 0);
    tell("shared", "fits");
    make_children(memory, size, 1);
    tell("written", "fits");
}
