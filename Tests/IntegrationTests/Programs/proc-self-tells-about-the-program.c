// args: one two
// env: GREETING=hello OTHER=1
#include "facts.h"
#include <dirent.h>
#include <sys/auxv.h>

static char buffer[65536];
static ssize_t slurp(const char *path) {
    int file = open(path, O_RDONLY);
    if (file < 0) return -1;
    ssize_t total = 0, count;
    while ((count = read(file, buffer + total, sizeof buffer - 1 - total)) > 0) total += count;
    buffer[total] = 0;
    close(file);
    return total;
}

static void keys(const char *path, const char *const *wanted) {
    ssize_t length = slurp(path);
    printf("%s:", path);
    for (; *wanted; wanted++) printf(" %s %d", *wanted, length > 0 && strstr(buffer, *wanted) != NULL);
    printf("\n");
}

int main(int count, char **arguments, char **environment) {
    char path[4096] = {0}, expected[4096];
    fact("exe", readlink("/proc/self/exe", path, sizeof path - 1) > 0);
    fact("is the program", strcmp(path, arguments[0]) == 0);
    fact("opens", open("/proc/self/exe", O_RDONLY) >= 0);
    fact("writing to it", open("/proc/self/exe", O_WRONLY) == -1);
    ssize_t length = slurp("/proc/self/cmdline");
    tell("arguments", "%d %s", length == (ssize_t)strlen(arguments[0]) + 9, buffer + length - 8);
    length = slurp("/proc/self/environ");
    tell("environment", "%ld %s %s", (long)length, buffer, buffer + strlen(buffer) + 1);
    slurp("/proc/self/comm");
    fact("comm", strlen(buffer) <= 16 && strncmp(buffer, strrchr(arguments[0], '/') + 1, strlen(buffer) - 1) == 0);
    slurp("/proc/self/stat");
    int number, parent;
    char name[64], state;
    fact("stat", sscanf(buffer, "%d (%63[^)]) %c %d", &number, name, &state, &parent));
    tell("says", "%d %c %d", number == getpid(), state, parent == getppid());
    int fields = 1;
    for (char *at = strrchr(buffer, ')'); *at; at++) fields += *at == ' ';
    fact("fields after the name", fields);
    fact("statm", slurp("/proc/self/statm") > 0);
    keys("/proc/self/status", (const char *[]){"Name:", "Pid:", "Threads:\t1", "VmRSS:", "Uid:", "SigBlk:", NULL});
    keys("/proc/self/limits", (const char *[]){"Max open files", "Max stack size", NULL});
    keys("/proc/self/mounts", (const char *[]){" / ", " /proc ", " /dev ", NULL});
    fact("auxv", slurp("/proc/self/auxv") > 100);
    unsigned long *pair = (unsigned long *)buffer;
    while (pair[0] && pair[0] != AT_PAGESZ) pair += 2;
    fact("page size", pair[1]);
    int file = make_file("file", "0123456789");
    lseek(file, 7, SEEK_SET);
    sprintf(path, "/proc/self/fd/%d", file);
    length = readlink(path, expected, sizeof expected);
    fact("fd link", length >= 5 && memcmp(expected + length - 5, "/file", 5) == 0);
    sprintf(path, "/proc/self/fdinfo/%d", file);
    keys(path, (const char *[]){"pos:\t7\n", "flags:", NULL});
    int pipes[2];
    pipe(pipes);
    sprintf(path, "/proc/self/fd/%d", pipes[0]);
    readlink(path, expected, sizeof expected);
    fact("pipe link", memcmp(expected, "pipe:[", 6) == 0);
    DIR *folder = opendir("/proc/self/task");
    int threads = 0;
    struct dirent *entry;
    while ((entry = readdir(folder))) threads += entry->d_name[0] != '.';
    fact("tasks", threads);
    sprintf(path, "/proc/%d/stat", getpid());
    fact("by number", access(path, R_OK));
    fact("nobody", access("/proc/99999999", R_OK));
    fact("write to cmdline", open("/proc/self/cmdline", O_WRONLY) == -1);
    outcome("unlink", unlink("/proc/self/stat"));
    outcome("create", open("/proc/new", O_CREAT | O_WRONLY, 0600));
    fact("cwd", readlink("/proc/self/cwd", path, sizeof path) > 0);
    fact("root", readlink("/proc/self/root", path, sizeof path));
}
