#include "facts.h"
#include <poll.h>
#include <sched.h>
#include <sys/wait.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_send_signal 424
#define SYS_pidfd_open 434
#define SYS_pidfd_getfd 438
#endif
#define CLONE_PIDFD_FLAG 0x1000
#define P_PIDFD_TYPE 3

static volatile sig_atomic_t value;

static void note(int number, siginfo_t *information, void *context) {
    (void)number, (void)context;
    value = information->si_value.sival_int;
}

static int open_process(pid_t process, unsigned flags) {
    return syscall(SYS_pidfd_open, process, flags);
}

static int send_signal(int fd, int number, siginfo_t *information, unsigned flags) {
    return syscall(SYS_pidfd_send_signal, fd, number, information, flags);
}

static void events(const char *name, int fd) {
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};
    poll(&one, 1, 0);
    fact(name, one.revents);
}

static void wait_by(const char *name, int fd, int options) {
    siginfo_t news = {0};
    int waited = waitid(P_PIDFD_TYPE, fd, &news, options);
    if (waited == -1) return result(name, waited);
    tell(name, "code %d, status %d, by its number %d", news.si_code, news.si_status, news.si_pid > 0);
}

static void errors(void) {
    result("number zero", open_process(0, 0));
    result("below zero", open_process(-1, 0));
    result("nobody", open_process(4000000, 0));
    result("unknown flags", open_process(getpid(), 0x40000000));
    int file = must(open(".", O_RDONLY));
    result("a signal by another file", send_signal(file, 0, NULL, 0));
    char path[40];
    sprintf(path, "/proc/%d", getpid());
    result("a signal by a folder", send_signal(must(open(path, O_RDONLY)), 0, NULL, 0));
    strcat(path, "/task");
    result("by one that is no process's", send_signal(must(open(path, O_RDONLY)), 0, NULL, 0));
    result("wait for another file", waitid(P_PIDFD_TYPE, file, &(siginfo_t){0}, WEXITED));
    result("wait for no file", waitid(P_PIDFD_TYPE, 99, &(siginfo_t){0}, WEXITED));
    int own = must(open_process(getpid(), 0));
    fact("closed by execve", fcntl(own, F_GETFD));
    result("signal of unknown flags", send_signal(own, 0, NULL, 0x100));
    result("no such signal", send_signal(own, 99, NULL, 0));
    result("wait for oneself", waitid(P_PIDFD_TYPE, own, &(siginfo_t){0}, WEXITED));
    char byte;
    result("read", read(own, &byte, 1));
    siginfo_t information = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    information.si_value.sival_int = 42;
    install(SIGUSR1, note, 0);
    result("another signal than told", send_signal(own, SIGUSR2, &information, 0));
    result("to oneself", send_signal(own, SIGUSR1, &information, 0));
    fact("arrived with", value);
    close(own);
    close(file);
}

static void life(void) {
    int ends[2];
    must(pipe(ends));
    pid_t child = must(fork());
    if (child == 0) {
        char byte;
        close(ends[1]);
        _exit(read(ends[0], &byte, 1) == 1 ? 5 : 6);
    }
    int fd = must(open_process(child, O_NONBLOCK));
    events("lives", fd);
    wait_by("does not wait", fd, WEXITED);
    result("exists", send_signal(fd, 0, NULL, 0));
    int taken = syscall(SYS_pidfd_getfd, fd, ends[0], 0);
    fact("its file", taken >= 0 && fcntl(taken, F_GETFD) == FD_CLOEXEC);
    result("a file it has not", syscall(SYS_pidfd_getfd, fd, 77, 0));
    close(ends[0]);
    fcntl(fd, F_SETFL, 0);
    must(write(ends[1], "x", 1));
    struct pollfd end = {.fd = fd, .events = POLLIN};
    fact("its end is told", poll(&end, 1, 5000));
    result("the dead take signals", send_signal(fd, SIGTERM, NULL, 0));
    wait_by("looked at", fd, WEXITED | WNOWAIT);
    wait_by("waited for", fd, WEXITED);
    result("gone", send_signal(fd, 0, NULL, 0));
    wait_by("again", fd, WEXITED);
    events("readable for ever", fd);
}

static void with_clone(void) {
    int fd = -1;
    pid_t child = syscall(SYS_clone, CLONE_PIDFD_FLAG | SIGCHLD, 0, &fd, 0, 0);
    if (child == 0) {
        for (;;) pause();
    }
    must(child);
    fact("a descriptor with the child", fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC);
    result("killed by it", send_signal(fd, SIGKILL, NULL, 0));
    wait_by("was killed", fd, WEXITED);
    result("two answers in one place", syscall(SYS_clone, CLONE_PIDFD_FLAG | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd, 0, 0));
    result("nowhere to tell", syscall(SYS_clone, CLONE_PIDFD_FLAG | SIGCHLD, 0, 8, 0, 0));
    result("nobody was made", waitpid(-1, NULL, WNOHANG));
}

int main(void) {
    errors();
    life();
    with_clone();
    return 0;
}
