// Starts a command again and again and prints the nanoseconds from exec to exit of each.
// Usage: spawn COUNT COMMAND ARG…
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **arguments) {
    if (count < 3) return 2;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int descriptor = 0; descriptor < 2; descriptor++) {
        posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
    }
    for (int each = 0; each < atoi(arguments[1]); each++) {
        struct timespec start, end;
        pid_t process;
        int status;
        clock_gettime(CLOCK_MONOTONIC, &start);
        if (posix_spawnp(&process, arguments[2], &actions, NULL, arguments + 2, environ)) return 127;
        waitpid(process, &status, 0);
        clock_gettime(CLOCK_MONOTONIC, &end);
        if (status) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        printf("%lld\n", (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec);
    }
    return 0;
}
