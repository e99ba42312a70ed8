#include "facts.h"
#include <sys/wait.h>

int main(void) {
    fact("a parent", getppid() > 0);
    result("it is there", kill(getppid(), 0));
    pid_t child = must(fork());
    if (child == 0) {
        result("so is this one", kill(getppid(), 0));
        exit(0);
    }
    must(waitpid(child, NULL, 0));
    result("its child is not", kill(child, 0));
}
