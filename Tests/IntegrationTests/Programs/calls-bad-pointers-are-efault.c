#include "facts.h"
#include <poll.h>
#include <sys/epoll.h>

#define bad(name, ...) outcome(#name, syscall(SYS_##name, __VA_ARGS__))

static void attempt(const char *title, void *p) {
    int file = make_file("file", "0123456789");
    int watch = epoll_create1(0);
    int pipes[2];
    pipe(pipes);
    write(pipes[1], "x", 1);
    printf("-- %s\n", title);
    bad(open, p, 0), bad(openat, AT_FDCWD, p, 0), bad(stat, p, pipes), bad(fstat, file, p), bad(lstat, "file", p);
    bad(access, p, 0), bad(readlink, "/proc/self/exe", p, 100), bad(getcwd, p, 4096), bad(mkdir, p, 0), bad(unlink, p);
    bad(rename, p, "x"), bad(rename, "file", p), bad(symlink, p, "x"), bad(link, "file", p), bad(chdir, p), bad(truncate, p, 0);
    bad(read, file, p, 5), bad(write, file, p, 5), bad(pread64, file, p, 5, 0), bad(readv, file, p, 1), bad(writev, file, p, 1);
    bad(read, pipes[0], p, 1), bad(write, pipes[1], p, 1), bad(getdents64, open(".", O_RDONLY), p, 4096);
    bad(pipe, p), bad(poll, p, 1, 0), bad(select, 5, p, NULL, NULL, NULL), bad(epoll_ctl, watch, EPOLL_CTL_ADD, pipes[0], p);
    bad(rt_sigaction, SIGUSR1, p, NULL, 8), bad(rt_sigaction, SIGUSR1, NULL, p, 8), bad(rt_sigprocmask, 0, p, NULL, 8);
    bad(rt_sigpending, p, 8), bad(sigaltstack, p, NULL), bad(nanosleep, p, NULL), bad(clock_nanosleep, 1, 0, p, NULL);
    bad(clock_gettime, 0, p), bad(clock_getres, 0, p), bad(gettimeofday, p, NULL), bad(time, p), bad(times, p);
    bad(getrusage, 0, p), bad(getrlimit, 0, p), bad(setrlimit, 0, p), bad(sysinfo, p), bad(uname, p), bad(getrandom, p, 8, 0);
    bad(sched_getaffinity, 0, 128, p), bad(getresuid, p, p, p), bad(getgroups, 0, p), bad(utimensat, AT_FDCWD, "file", p, 0);
    bad(statx, AT_FDCWD, "file", 0, 0x7ff, p), bad(statfs, ".", p), bad(timer_create, 1, NULL, p), bad(getitimer, 0, p);
    bad(setitimer, 0, p, NULL), bad(mincore, map(4096, 3, MAP_PRIVATE), 4096, p), bad(futex, p, 1, 1, NULL);
    bad(set_robust_list, p, 24), bad(getcpu, p, NULL), bad(ioctl, pipes[0], 0x541b, p), bad(clone3, p, 88);
    unlink("file");
}

int main(void) {
    attempt("low", (void *)8);
    attempt("high", (void *)-4096);
    attempt("the kernel's half", (void *)0xffff800000000000);
    attempt("not canonical", (void *)0x800000000000);
    attempt("no access", map(4096, PROT_NONE, MAP_PRIVATE));
    char *edge = map(8192, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    munmap(edge + 4096, 4096);
    struct stat status;
    memcpy(edge + 4092, "file", 4);
    outcome("a name that runs into nothing", open(edge + 4092, O_RDONLY));
    memcpy(edge + 4091, "/dev", 5);
    outcome("a name that ends just before", stat(edge + 4091, &status));
    int file = make_file("data", "0123456789");
    result("a read across the edge", read(file, edge + 4093, 10));
    result("the next one", read(file, edge, 20));
    outcome("a structure across the edge", syscall(SYS_fstat, file, edge + 4000));
    char *readonly = map(4096, PROT_READ, MAP_PRIVATE);
    lseek(file, 0, SEEK_SET);
    result("into read-only memory", read(file, readonly, 4));
    result("out of it", write(file, readonly, 4));
}
