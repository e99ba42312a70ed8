#include "facts.h"
#include <sys/wait.h>

// Scores rise only: what lets them fall natively depends on who runs this.

static void set(const char *text) {
    int file = must(open("/proc/self/oom_score_adj", O_RDWR));
    long count = write(file, text, strlen(text));
    int error = errno;
    char line[16] = "";
    must(pread(file, line, sizeof line - 1, 0));
    line[strcspn(line, "\n")] = 0;
    tell("score", "%.5s: %s, is %s", text, count == -1 ? error_name(error) : "ok", line);
    close(file);
}

int main(void) {
    set("1");
    set("500\n");
    set("1001");
    set("-1001");
    set("x");
    set("1000");
    fflush(stdout);
    if (fork() == 0) {
        set("1000");
        must(syscall(SYS_setresuid, 1000, 1000, 1000));
        result("another user's", open("/proc/self/oom_score_adj", O_WRONLY));
        _exit(0);
    }
    wait(0);
}
