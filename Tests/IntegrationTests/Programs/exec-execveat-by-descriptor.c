#include "facts.h"

int main(int count, char **arguments) {
    if (count > 1) {
        tell("again", "%s", arguments[1]);
        return 4;
    }
    int file = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    char *words[] = {"zero", "by descriptor", NULL};
    outcome("execveat", syscall(SYS_execveat, file, "", words, NULL, AT_EMPTY_PATH));
}
