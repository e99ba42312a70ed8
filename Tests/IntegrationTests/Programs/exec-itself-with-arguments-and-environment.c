#include "facts.h"

extern char **environ;

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "second") == 0) {
        fact("arguments", count);
        for (int each = 1; each < count; each++) tell("argument", "[%s]", arguments[each]);
        for (int each = 0; environ[each]; each++) tell("variable", "%s", environ[each]);
        tell("name", "%s", arguments[0]);
        result("kept descriptor", write(20, "x", 1));
        result("closed on exec", write(21, "x", 1));
        struct sigaction action;
        sigaction(SIGUSR1, NULL, &action), fact("handler is gone", action.sa_handler == SIG_DFL);
        sigaction(SIGUSR2, NULL, &action), fact("ignored stays", action.sa_handler == SIG_IGN);
        sigset_t mask;
        sigprocmask(SIG_BLOCK, NULL, &mask), fact("mask stays", sigismember(&mask, SIGHUP));
        stack_t stack;
        sigaltstack(NULL, &stack), fact("no other stack", stack.ss_flags == SS_DISABLE);
        fact("same process", atoi(getenv("NUMBER_OF_PROCESS") ?: "0") == 0);
        return 33;
    }
    must(dup2(open("/dev/null", O_WRONLY), 20));
    must(dup3(20, 21, O_CLOEXEC));
    install(SIGUSR1, (void *)main, 0);
    signal(SIGUSR2, SIG_IGN);
    sigset_t mask;
    sigemptyset(&mask), sigaddset(&mask, SIGHUP), sigprocmask(SIG_BLOCK, &mask, NULL);
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, NULL);
    printf("first\n");
    char *words[] = {"renamed", "second", "", "with space", NULL}, *variables[] = {"A=1", "EMPTY=", "B=two words", NULL};
    outcome("execve", execve("/proc/self/exe", words, variables));
}
