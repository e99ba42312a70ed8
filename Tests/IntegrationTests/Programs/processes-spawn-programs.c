#include "facts.h"
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static int variable = 1;

int main(int count, char **arguments) {
    if (count > 1) {
        char text[64] = "";
        if (strcmp(arguments[1], "cat") == 0) {
            read(0, text, sizeof text - 1);
            tell("spawned and told", "%s", text);
        }
        return atoi(arguments[count - 1]);
    }
    char *words[] = {arguments[0], "word", "33", NULL};
    pid_t child;
    int status;
    int first = posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environ);
    must(waitpid(child, &status, 0));
    result("posix_spawn", first);
    fact("status", WEXITSTATUS(status));
    fact("a missing program", posix_spawn(&child, "/nowhere", NULL, NULL, words, environ) == ENOENT);

    // With descriptors arranged for it.
    int ends[2];
    must(pipe(ends));
    must(write(ends[1], "by a pipe", 9));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], 0);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    char *cat[] = {arguments[0], "cat", "0", NULL};
    int spawned = posix_spawn(&child, "/proc/self/exe", &actions, NULL, cat, environ);
    must(waitpid(child, &status, 0));
    result("with actions", spawned);
    fact("status", WEXITSTATUS(status));

    // Memory is the parent's until the child has its own.
    child = vfork();
    if (child == 0) {
        variable = 2;
        _exit(5);
    }
    fact("variable after vfork", variable);
    must(waitpid(child, &status, 0));
    fact("status", WEXITSTATUS(status));
    char *last[] = {arguments[0], "6", NULL};
    child = vfork();
    if (child == 0) {
        execv("/proc/self/exe", last);
        _exit(1);
    }
    variable = 3;
    must(waitpid(child, &status, 0));
    fact("status of what vfork executed", WEXITSTATUS(status));

    // Many, so that memory and processes are used again.
    int sum = 0;
    for (int each = 0; each < 50; each++) {
        must(-posix_spawn(&child, "/proc/self/exe", NULL, NULL, words, environ));
        must(waitpid(child, &status, 0));
        sum += WEXITSTATUS(status);
    }
    fact("sum of 50", sum);
    child = must(fork());
    if (child == 0) {
        execv("/proc/self/exe", last);
        _exit(1);
    }
    must(waitpid(child, &status, 0));
    fact("status after fork and exec", WEXITSTATUS(status));
}
