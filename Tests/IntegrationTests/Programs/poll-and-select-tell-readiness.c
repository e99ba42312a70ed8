#include "facts.h"
#include <poll.h>
#include <sys/select.h>

static int pipes[2];
static void *write_later(void *argument) {
    sleep_ms(20);
    write(pipes[1], "x", 1);
    return NULL;
}
static void note(int number, siginfo_t *info, void *context) {}

static pthread_t first;
static void *signal_later(void *argument) {
    sleep_ms(20);
    pthread_kill(first, SIGUSR1);
    return NULL;
}

int main(void) {
    must(pipe(pipes));
    first = pthread_self();
    struct pollfd entries[4] = {{pipes[0], POLLIN}, {pipes[1], POLLOUT}, {-1, POLLIN}, {500, POLLIN}};
    fact("poll", poll(entries, 4, 0));
    tell("events", "%x %x %x %x", entries[0].revents, entries[1].revents, entries[2].revents, entries[3].revents);
    fact("nothing in time", poll(entries, 1, 5));
    pthread_t thread;
    pthread_create(&thread, NULL, write_later, NULL);
    fact("woken", poll(entries, 1, 5000));
    pthread_join(thread, NULL);
    fd_set readable, writable;
    FD_ZERO(&readable); FD_ZERO(&writable);
    FD_SET(pipes[0], &readable), FD_SET(pipes[1], &writable);
    struct timeval none = {0, 0}, little = {0, 5000};
    fact("select", select(20, &readable, &writable, NULL, &none));
    tell("sets", "%d %d", FD_ISSET(pipes[0], &readable) != 0, FD_ISSET(pipes[1], &writable) != 0);
    char byte;
    read(pipes[0], &byte, 1);
    FD_ZERO(&readable); FD_SET(pipes[0], &readable);
    fact("nothing in time", select(20, &readable, NULL, NULL, &little));
    fact("cleared", FD_ISSET(pipes[0], &readable));
    FD_SET(30, &readable);
    result("a bad descriptor", select(31, &readable, NULL, NULL, &none));
    result("a negative count", select(-1, &readable, NULL, NULL, &none));
    install(SIGUSR1, note, SA_RESTART);
    pthread_create(&thread, NULL, signal_later, NULL);
    result("interrupted in spite of restart", poll(entries, 1, 5000));
    pthread_join(thread, NULL);
    sigset_t block, none_blocked;
    sigemptyset(&block), sigemptyset(&none_blocked), sigaddset(&block, SIGUSR1);
    sigprocmask(SIG_BLOCK, &block, NULL);
    raise(SIGUSR1);
    struct timespec seconds = {5, 0};
    result("ppoll opens the mask", ppoll(entries, 1, &seconds, &none_blocked));
    raise(SIGUSR1);
    FD_ZERO(&readable); FD_SET(pipes[0], &readable);
    result("pselect too", pselect(20, &readable, NULL, NULL, &seconds, &none_blocked));
    int file = make_file("file", "x");
    struct pollfd regular = {file, POLLIN | POLLOUT};
    fact("files are always ready", poll(&regular, 1, 0)), tell("events", "%x", regular.revents);
    close(pipes[1]);
    fact("hang-up", poll(entries, 1, 0)), tell("events", "%x", entries[0].revents);
    must(pipe(pipes)), close(pipes[0]);
    entries[0] = (struct pollfd){pipes[1], POLLOUT};
    fact("nobody reads", poll(entries, 1, 0)), tell("events", "%x", entries[0].revents);
    result("bad pointer", poll((void *)8, 1, 0));
    long long start = now_ns();
    poll(NULL, 0, 20);
    fact("a poll of nothing sleeps", now_ns() - start >= 20000000);
}
