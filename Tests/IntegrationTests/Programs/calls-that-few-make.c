#include "facts.h"
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sched.h>

#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

static int pipe_ends[2];

static void handle(int signal, siginfo_t *information, void *context) {
    tell("handled", "%d, code %d, value %d", signal, information->si_code, information->si_value.sival_int);
}

static void schedule(void) {
    int priority = 0;
    result("sched_setparam", syscall(SYS_sched_setparam, 0, &priority));
    priority = 1;
    result("of a priority that others have", syscall(SYS_sched_setparam, 0, &priority));
    result("of nobody", syscall(SYS_sched_setparam, 4000000, &priority));
    result("of a negative number", syscall(SYS_sched_setparam, -1, &priority));
    result("without any", syscall(SYS_sched_setparam, 0, 0));
    result("with a bad one", syscall(SYS_sched_setparam, 0, 8));
    result("of nobody with a bad one", syscall(SYS_sched_setparam, 4000000, 8));
    struct timespec slice = {-1, -1};
    result("sched_rr_get_interval", syscall(SYS_sched_rr_get_interval, 0, &slice));
    fact("it is short", slice.tv_sec == 0 && slice.tv_nsec >= 0 && slice.tv_nsec < 1000000000);
    result("of nobody", syscall(SYS_sched_rr_get_interval, 4000000, &slice));
    result("of a negative number", syscall(SYS_sched_rr_get_interval, -1, &slice));
    result("to nowhere", syscall(SYS_sched_rr_get_interval, 0, 8));
}

static void lock_memory(void) {
    char *memory = map(16384, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    unsigned char there[4];
    result("mlock2", syscall(SYS_mlock2, memory, 4096, 0));
    result("when it is touched", syscall(SYS_mlock2, memory + 4096, 12288, 1));
    must(mincore(memory, 16384, there));
    tell("there", "%d %d", there[0] & 1, there[1] & 1);
    memory[4096] = 1;
    must(mincore(memory, 16384, there));
    tell("when it was touched", "%d %d", there[0] & 1, there[1] & 1);
    result("an unknown flag", syscall(SYS_mlock2, memory, 4096, 2));
    munmap(memory + 4096, 4096);
    result("over a hole", syscall(SYS_mlock2, memory, 16384, 0));
    result("nothing", syscall(SYS_mlock2, memory, 0, 0));
    result("around the end", syscall(SYS_mlock2, memory, -4096L, 0));
}

static long wait_events(int file, struct epoll_event *events, int count, struct timespec *limit, sigset_t *mask,
    size_t size) {
    return syscall(SYS_epoll_pwait2, file, events, count, limit, mask, size);
}

static void wait_for_events(void) {
    int file = must(epoll_create1(0));
    struct epoll_event event = {EPOLLIN, {.u64 = 7}}, events[2];
    must(epoll_ctl(file, EPOLL_CTL_ADD, pipe_ends[0], &event));
    struct timespec limit = {0, 2000000};
    long long start = now_ns();
    result("epoll_pwait2", wait_events(file, events, 2, &limit, 0, 0));
    fact("it waited", now_ns() - start >= 2000000);
    limit.tv_nsec = 0;
    result("without waiting", wait_events(file, events, 2, &limit, 0, 0));
    must(write(pipe_ends[1], "x", 1));
    result("with an event", wait_events(file, events, 2, 0, 0, 0));
    tell("it is", "%x %d", events[0].events, (int)events[0].data.u64);
    limit.tv_nsec = 1000000000;
    result("too many nanoseconds", wait_events(file, events, 2, &limit, 0, 0));
    limit.tv_sec = -1, limit.tv_nsec = 0;
    result("negative seconds", wait_events(file, events, 2, &limit, 0, 0));
    result("a bad limit", wait_events(file, events, 2, (struct timespec *)8, 0, 0));
    limit.tv_sec = 0;
    result("no room", wait_events(file, events, 0, &limit, 0, 0));
    result("a bad place", wait_events(file, (struct epoll_event *)8, 2, &limit, 0, 0));
    result("nothing", wait_events(99, events, 2, &limit, 0, 0));
    result("no epoll", wait_events(0, events, 2, &limit, 0, 0));
    sigset_t mask;
    sigemptyset(&mask);
    result("a mask of another size", wait_events(file, events, 2, &limit, &mask, 4));
    result("a bad mask", wait_events(file, events, 2, &limit, (sigset_t *)8, 8));
    char byte;
    must(read(pipe_ends[0], &byte, 1));
    install(SIGUSR1, handle, 0);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, 0);
    raise(SIGUSR1);
    sigemptyset(&mask);
    limit.tv_sec = 5;
    result("with a mask that lets a signal in", wait_events(file, events, 2, &limit, &mask, 8));
}

static long queue(int process, int thread, int signal, int code, int value) {
    siginfo_t information = {0};
    information.si_code = code;
    information.si_value.sival_int = value;
    return syscall(SYS_rt_tgsigqueueinfo, process, thread, signal, &information);
}

static void queue_to_threads(void) {
    int process = getpid(), thread = syscall(SYS_gettid);
    install(SIGUSR2, handle, 0);
    result("rt_tgsigqueueinfo", queue(process, thread, SIGUSR2, SI_QUEUE, 42));
    result("with a code of the kernel's to itself", queue(process, thread, SIGUSR2, SI_TKILL, 43));
    result("no signal", queue(process, thread, 0, SI_QUEUE, 0));
    result("a wrong process", queue(getppid(), thread, SIGUSR2, SI_QUEUE, 0));
    result("a wrong thread", queue(process, 4000000, SIGUSR2, SI_QUEUE, 0));
    result("a thread of zero", queue(process, 0, SIGUSR2, SI_QUEUE, 0));
    result("a process of zero", queue(0, thread, SIGUSR2, SI_QUEUE, 0));
    result("no such signal", queue(process, thread, 65, SI_QUEUE, 0));
    result("bad information", syscall(SYS_rt_tgsigqueueinfo, process, thread, SIGUSR2, 8));
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    result("to a child with a code of the kernel's", queue(child, child, SIGTERM, SI_TKILL, 1));
    result("to a child as kill does", queue(child, child, SIGTERM, SI_USER, 1));
    result("to a child", queue(child, child, SIGTERM, SI_QUEUE, 1));
    int status;
    must(waitpid(child, &status, 0));
    fact("ended by", WTERMSIG(status));
}

static void end_processes(void) {
    int status;
    result("restart_syscall", syscall(SYS_restart_syscall));
    fflush(stdout);
    if (fork() == 0) syscall(SYS_exit, 0x1234);
    must(wait(&status));
    tell("exit", "%x", status);
    if (fork() == 0) syscall(SYS_exit_group, 0x12ff);
    must(wait(&status));
    tell("exit_group", "%x", status);
}

int main(void) {
    must(pipe(pipe_ends));
    schedule();
    lock_memory();
    wait_for_events();
    queue_to_threads();
    end_processes();
}
