// The smallest useful program. With an argument it waits for the end of its input, so that its
// memory can be looked at.
#include <unistd.h>

int main(int count, char **arguments) {
    char byte;
    write(1, "hello\n", 6);
    while (count > 1 && read(0, &byte, 1) > 0) continue;
    return 0;
}
