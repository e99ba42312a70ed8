#include "sockets.h"

static int ends[2], listener;
static pthread_t waiter;
static volatile int handled;
static void handler(int number, siginfo_t *info, void *context) { handled++; }

static void *poke(void *then) {
    sleep_ms(30);
    pthread_kill(waiter, SIGUSR1);
    sleep_ms(30);
    if (then) ((void (*)(void))then)();
    return NULL;
}
static void give_byte(void) { write(ends[1], "x", 1); }
static void drain(void) {
    static char buffer[100000];
    while (recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT) > 0) continue;
}
static void connect_now(void) { close(connected_to(SOCK_STREAM, "listener")); }
static void accept_now(void) { close(accept(listener, NULL, NULL)); }

#define ATTEMPT(name, flags, then, call) \
    do { \
        pthread_t thread; \
        handled = 0; \
        install(SIGUSR1, handler, flags); \
        pthread_create(&thread, NULL, poke, then); \
        outcome(name, call); \
        pthread_join(thread, NULL); \
        fact("handled", handled); \
    } while (0)

static void fill(void) {
    static char buffer[1000];
    while (send(ends[0], buffer, sizeof buffer, MSG_DONTWAIT) > 0) continue;
}

int main(void) {
    char buffer[1000];
    waiter = pthread_self();
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    listener = listen_at(SOCK_STREAM, "listener", 0);
    struct msghdr message = {.msg_iov = &(struct iovec){buffer, 10}, .msg_iovlen = 1};
    ATTEMPT("receive", 0, NULL, recv(ends[0], buffer, 10, 0));
    ATTEMPT("receive again", SA_RESTART, give_byte, recv(ends[0], buffer, 10, 0));
    ATTEMPT("recvmsg", 0, NULL, recvmsg(ends[0], &message, 0));
    ATTEMPT("recvmsg again", SA_RESTART, give_byte, recvmsg(ends[0], &message, 0));
    ATTEMPT("read", 0, NULL, read(ends[0], buffer, 10));
    ATTEMPT("read again", SA_RESTART, give_byte, read(ends[0], buffer, 10));
    ATTEMPT("accept", 0, NULL, accept(listener, NULL, NULL));
    ATTEMPT("accept again", SA_RESTART, connect_now, accept(listener, NULL, NULL));
    give_byte();
    ATTEMPT("some of all", SA_RESTART, NULL, recv(ends[0], buffer, 10, MSG_WAITALL));
    fill();
    ATTEMPT("send", 0, NULL, send(ends[0], buffer, 1000, 0));
    ATTEMPT("send again", SA_RESTART, drain, send(ends[0], buffer, 1000, 0));
    int clients[2] = {connected_to(SOCK_STREAM, "listener"), must(socket(AF_UNIX, SOCK_STREAM, 0))};
    ATTEMPT("connect", 0, NULL, connect_to(clients[1], "listener"));
    ATTEMPT("connect again", SA_RESTART, accept_now, connect_to(clients[1], "listener"));

    // With a time-out nothing is started again.
    struct timeval time = {10, 0};
    must(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    must(setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
    must(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    accept_now();
    ATTEMPT("receive", SA_RESTART, NULL, recv(ends[0], buffer, 10, 0));
    ATTEMPT("read", SA_RESTART, NULL, read(ends[0], buffer, 10));
    ATTEMPT("accept", SA_RESTART, NULL, accept(listener, NULL, NULL));
    fill();
    ATTEMPT("write", SA_RESTART, NULL, write(ends[0], buffer, 1000));
    drain();

    // A signal that is ignored does not end the wait.
    signal(SIGUSR1, SIG_IGN);
    pthread_t thread;
    pthread_create(&thread, NULL, poke, give_byte);
    result("ignored", recv(ends[0], buffer, 10, 0));
    pthread_join(thread, NULL);
}
