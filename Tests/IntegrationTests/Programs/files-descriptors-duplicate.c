#include "facts.h"
#include <sys/resource.h>

int main(void) {
    int file = make_file("data", "0123456789");
    fact("lowest free", file);
    int copy = dup(file);
    char byte;
    read(file, &byte, 1), read(copy, &byte, 1);
    fact("shared position", byte);
    fact("dup2", dup2(file, 20));
    fact("dup2 to itself", dup2(20, 20));
    outcome("dup2 of none", dup2(500, 21));
    outcome("dup2 of none to itself", dup2(500, 500));
    outcome("dup2 to a bad number", dup2(file, -1));
    fact("dup3", dup3(file, 21, O_CLOEXEC));
    fact("its flag", fcntl(21, F_GETFD));
    outcome("dup3 to itself", dup3(file, file, 0));
    outcome("dup3 bad flags", dup3(file, 22, O_APPEND));
    fact("F_DUPFD", fcntl(file, F_DUPFD, 100));
    fact("F_DUPFD_CLOEXEC", fcntl(file, F_DUPFD_CLOEXEC, 100));
    fact("flag", fcntl(101, F_GETFD));
    fact("set", fcntl(100, F_SETFD, FD_CLOEXEC));
    fact("flag", fcntl(100, F_GETFD));
    outcome("F_DUPFD negative", fcntl(file, F_DUPFD, -1));
    outcome("unknown command", fcntl(file, 9999, 0));
    outcome("of none", fcntl(500, F_GETFD));
    close(file);
    fact("the gap is used again", open("data", O_RDONLY) == file);
    fact("copies live", read(copy, &byte, 1));
    struct rlimit limit = {30, 30};
    must(setrlimit(RLIMIT_NOFILE, &limit));
    outcome("beyond the limit", dup2(copy, 30));
    int count = 0;
    while (dup(copy) >= 0) count++;
    fact("until the table is full", count);
    result("then", dup(copy));
    result("open too", open("data", O_RDONLY));
    result("pipe too", pipe((int[2]){0}));
    if (syscall(SYS_close_range, 22, 29, 0) == 0) outcome("close_range freed", dup(copy));
}
