// Ends with everything open, locked, queued and waited for; the argument says how: by "exit", a
// "kill", a "fault" or "exec".
#include "../facts.h"

#include <dirent.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static int ends[2], outer, inner, counter;

static void *wait_for_lock(void *argument) {
    flock(open("lock", O_RDWR), LOCK_EX);
    return argument;
}
static void *wait_in_poll(void *argument) {
    struct pollfd entry = {counter, POLLIN};
    poll(&entry, 1, -1);
    return argument;
}
static void *wait_in_epoll(void *argument) {
    struct epoll_event event;
    epoll_wait(outer, &event, 1, -1);
    return argument;
}
static void *wait_for_bytes(void *argument) {
    char byte;
    read(ends[0], &byte, 1);
    return argument;
}
static void *wait_for_writer(void *argument) {
    open("fifo", O_RDONLY);
    return argument;
}
static void *wait_for_signal(void *argument) {
    sigset_t all;
    sigfillset(&all);
    sigwaitinfo(&all, NULL);
    return argument;
}

static void watch(int epoll, int file) {
    struct epoll_event event = {EPOLLIN};
    epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event);
}

static void lock(void) {
    int file = make_file("lock", "text");
    struct flock ours = {F_WRLCK, SEEK_SET, 0, 10}, files = {F_RDLCK, SEEK_SET, 20, 10};
    must(flock(file, LOCK_EX));
    must(fcntl(file, F_SETLK, &ours));
    must(fcntl(file, F_OFD_SETLK, &files));
}

static void watch_all(void) {
    must(pipe(ends));
    inner = must(epoll_create1(0)), outer = must(epoll_create1(0));
    counter = must(eventfd(0, 0));
    int timer = must(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec seconds = {{1, 0}, {1, 0}};
    must(timerfd_settime(timer, 0, &seconds, NULL));
    watch(inner, ends[0]), watch(inner, counter), watch(inner, timer);
    watch(outer, inner), watch(outer, 0);
}

static void queue_signals(void) {
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1), sigaddset(&some, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &some, NULL);
    watch(inner, must(signalfd(-1, &some, 0)));
    for (int index = 0; index < 100; index++) sigqueue(getpid(), SIGRTMIN, (union sigval){index});
    kill(getpid(), SIGUSR1);
    timer_t timer;
    struct sigevent silent = {.sigev_notify = SIGEV_NONE};
    must(timer_create(CLOCK_REALTIME, &silent, &timer));
    alarm(100);
}

static void make_files(void) {
    must(mkfifo("fifo", 0600));
    must(mkdir("gone", 0700));
    must(mkdir("gone/inner", 0700));
    must(open("gone/inner", O_RDONLY | O_DIRECTORY));
    must(rmdir("gone/inner"));
    must(symlink("nowhere", "link"));
    must(link("link", "second-link"));
    readdir(opendir("/proc/self/fd"));
    for (int index = 0; index < 100; index++) {
        char name[40];
        sprintf(name, "folder-%d", index);
        must(mkdir(name, 0700));
        strcat(name, "/file");
        int file = must(open(name, O_CREAT | O_WRONLY, 0600));
        must(write(file, name, 10));
        if (index % 3) close(file);
        if (index % 5 == 0) unlink(name);
    }
    char bytes[100];
    must(read(must(open("/proc/self/maps", O_RDONLY)), bytes, sizeof bytes));
}

static void map_all(void) {
    int memory = must(memfd_create("memory", 0));
    must(ftruncate(memory, 1 << 20));
    char *file = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    file[5000] = 1;
    *(char *)map(1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED) = 1;
    must(write(must(open(".", O_TMPFILE | O_RDWR, 0600)), "text", 4));
}

int main(int count, char **arguments) {
    if (count < 2) return 0;
    must(mkdir("/tmp/here", 0700));
    must(chdir("/tmp/here"));
    lock(), watch_all(), queue_signals(), make_files(), map_all();
    void *(*waits[])(void *) = {wait_for_lock, wait_in_poll, wait_in_epoll, wait_for_bytes,
                                wait_for_writer, wait_for_signal};
    for (int index = 0; index < 6; index++) {
        pthread_t thread;
        must(-pthread_create(&thread, NULL, waits[index], NULL));
    }
    sleep_ms(20);
    switch (arguments[1][0]) {
    case 'k': raise(SIGKILL);
    case 'f': *(volatile int *)0 = 0;
    }
    if (!strcmp(arguments[1], "exec")) execl("/proc/self/exe", "again", NULL);
    return 0;
}
