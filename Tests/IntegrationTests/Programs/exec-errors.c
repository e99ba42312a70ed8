#include "facts.h"

static char *none[] = {"x", NULL};

static void attempt(const char *name, const char *path) { outcome(name, execve(path, none, NULL)); }

static void make(const char *name, const char *text, mode_t mode) {
    close(make_file(name, text)), chmod(name, mode);
}

int main(int count, char **arguments) {
    attempt("absent", "absent");
    make("plain", "no program\n", 0644);
    attempt("not executable", "plain");
    make("text", "no program\n", 0755);
    attempt("no format", "text");
    make("empty", "", 0755);
    attempt("empty", "empty");
    make("cut", "\x7f" "ELF\2\1\1", 0755);
    attempt("cut short", "cut");
    make("lost", "#!/no/such/interpreter\n", 0755);
    attempt("interpreter is absent", "lost");
    make("bare", "#!\n", 0755);
    attempt("no interpreter", "bare");
    attempt("folder", ".");
    attempt("below a file", "text/x");
    attempt("empty name", "");
    outcome("bad path", execve((char *)8, none, NULL));
    outcome("bad arguments", execve(arguments[0], (char **)8, NULL));
    outcome("bad argument", execve(arguments[0], (char *[]){(char *)8, NULL}, NULL));
    static char long_text[200000];
    memset(long_text, 'a', sizeof long_text - 1);
    outcome("a very long argument", execve(arguments[0], (char *[]){"x", long_text, NULL}, NULL));
    symlink("loop", "loop");
    attempt("loop", "loop");
    int folder = open(".", O_RDONLY);
    outcome("execveat absent", syscall(SYS_execveat, folder, "absent", none, NULL, 0));
    outcome("execveat flags", syscall(SYS_execveat, folder, "text", none, NULL, 1));
    printf("still here\n");
}
