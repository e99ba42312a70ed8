#include "facts.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static volatile int told, code, of, band, number, thread;
static void handle(int signal, siginfo_t *information, void *context) {
    (void)context;
    told++, number = signal, code = information->si_code, of = information->si_fd, band = information->si_band;
    thread = gettid();
}
static void show(const char *name, int file) {
    if (!told) tell(name, "nothing");
    else if (number == SIGIO && code == SI_KERNEL) tell(name, "SIGIO");
    else tell(name, "%s code %d band %x%s", number == SIGIO ? "SIGIO" : "real-time", code, band, of == file ? " of it" : "");
    told = 0;
}

static void pipes(void) {
    int ends[2], flags;
    char byte = 0, page[4096] = {0};
    must(pipe(ends));
    result("flags", fcntl(ends[0], F_SETFL, O_ASYNC)), tell("flags", "%x", fcntl(ends[0], F_GETFL));
    result("owner", fcntl(ends[0], F_GETOWN));
    must(write(ends[1], "x", 1)), show("without an owner", ends[0]);
    result("own", fcntl(ends[0], F_SETOWN, getpid())), fact("is", fcntl(ends[0], F_GETOWN) == getpid());
    result("signal", fcntl(ends[0], F_GETSIG));
    must(write(ends[1], "x", 1)), show("written", ends[0]);
    must(write(ends[1], "x", 1)), show("written again", ends[0]);
    must(read(ends[0], page, 3)), show("read", ends[0]);
    result("set signal", fcntl(ends[0], F_SETSIG, SIGRTMIN + 1)), fact("is", fcntl(ends[0], F_GETSIG) == SIGRTMIN + 1);
    must(write(ends[1], "x", 1)), show("real-time", ends[0]);
    result("set SIGIO", fcntl(ends[0], F_SETSIG, SIGIO));
    must(write(ends[1], "x", 1)), show("SIGIO by name", ends[0]);
    result("bad signal", fcntl(ends[0], F_SETSIG, 65)), result("negative", fcntl(ends[0], F_SETSIG, -1));
    result("default", fcntl(ends[0], F_SETSIG, 0));
    result("off", fcntl(ends[0], F_SETFL, 0)), must(write(ends[1], "x", 1)), show("off", ends[0]);
    int on = 1;
    result("on", ioctl(ends[0], FIOASYNC, &on)), tell("flags", "%x", fcntl(ends[0], F_GETFL));
    must(write(ends[1], "x", 1)), show("on", ends[0]);
    // A copy is the same; both closed is the end.
    int copy = must(dup(ends[0]));
    close(ends[0]), must(write(ends[1], "x", 1)), show("a copy", copy), read(copy, page, 100);
    // The end that is written.
    must(fcntl(ends[1], F_SETOWN, getpid())), must(fcntl(ends[1], F_SETFL, O_ASYNC | O_NONBLOCK));
    must(fcntl(ends[1], F_SETSIG, SIGRTMIN)), on = 0, must(ioctl(copy, FIOASYNC, &on));
    while (write(ends[1], page, 4096) > 0) continue;
    show("full", ends[1]);
    must(read(copy, page, 4096)), show("room", ends[1]);
    close(copy), show("no reader", ends[1]);
    close(ends[1]);
    must(pipe(ends)), fcntl(ends[0], F_SETOWN, getpid()), fcntl(ends[0], F_SETFL, O_ASYNC);
    close(ends[1]), show("no writer", ends[0]), close(ends[0]);
    flags = must(open("/tmp", O_RDONLY));
    result("a folder", fcntl(flags, F_SETFL, O_ASYNC)), tell("flags", "%x", fcntl(flags, F_GETFL) & O_ASYNC);
    result("a folder by ioctl", ioctl(flags, FIOASYNC, &on)), on = 1, result("on", ioctl(flags, FIOASYNC, &on));
    result("elsewhere", ioctl(flags, FIOASYNC, 16)), close(flags);
    (void)byte;
}

static void sockets(void) {
    int pair[2];
    char byte;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    must(fcntl(pair[0], F_SETOWN, getpid())), must(fcntl(pair[0], F_SETFL, O_ASYNC)), must(fcntl(pair[0], F_SETSIG, SIGRTMIN));
    must(send(pair[1], "x", 1, 0)), show("sent", pair[0]);
    must(recv(pair[0], &byte, 1, 0)), told = 0;
    shutdown(pair[1], SHUT_WR), show("shut down", pair[0]);
    close(pair[1]), told = 0, close(pair[0]);
}

static void *as_thread(void *argument) {
    struct f_owner_ex owner = {F_OWNER_TID, gettid()};
    int *ends = argument;
    must(fcntl(ends[0], F_SETOWN_EX, &owner));
    memset(&owner, 0, sizeof owner), must(fcntl(ends[0], F_GETOWN_EX, &owner));
    fact("a thread's", owner.type == F_OWNER_TID && owner.pid == gettid());
    must(write(ends[1], "x", 1)), fact("this thread", thread == gettid()), show("to a thread", ends[0]);
    return NULL;
}

int main(void) {
    // A group of its own: others are not to be told.
    setpgid(0, 0);
    install(SIGIO, handle, 0), install(SIGRTMIN, handle, 0), install(SIGRTMIN + 1, handle, 0);
    pipes();
    sockets();
    int ends[2], status;
    must(pipe(ends)), must(fcntl(ends[0], F_SETFL, O_ASYNC));
    pthread_t other;
    pthread_create(&other, NULL, as_thread, ends), pthread_join(other, NULL);
    // A process group, and another process's write.
    must(fcntl(ends[0], F_SETOWN, -getpgrp()));
    struct sigaction ignore = {.sa_handler = SIG_DFL};
    pid_t child = must(fork());
    if (child == 0) {
        sigaction(SIGIO, &ignore, NULL);
        sigset_t set;
        sigemptyset(&set), sigaddset(&set, SIGIO), sigprocmask(SIG_BLOCK, &set, NULL);
        must(write(ends[1], "x", 1));
        sigset_t pending;
        sigpending(&pending);
        _exit(sigismember(&pending, SIGIO));
    }
    while (waitpid(child, &status, 0) == -1) continue;
    fact("the child has it too", WEXITSTATUS(status)), show("of a group", ends[0]);
    must(fcntl(ends[0], F_SETOWN, getpid()));
    signal(SIGIO, SIG_DFL), write(ends[1], "x", 1);
    printf("not reached\n");
    return 0;
}
