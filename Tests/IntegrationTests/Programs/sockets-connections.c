#include "sockets.h"

static int listener;

static void *accept_soon(void *none) {
    sleep_ms(30);
    return (void *)must(accept(listener, NULL, NULL));
}
static void *connect_soon(void *none) {
    sleep_ms(30);
    return (void *)(long)connected_to(SOCK_STREAM, "listener");
}
static void *shut_soon(void *none) {
    sleep_ms(30);
    shutdown(listener, SHUT_RDWR);
    return none;
}

static void of_type(int type) {
    pthread_t thread;
    listener = listen_at(type, "listener", 1);
    tell_ready("nobody yet", listener);
    must(fcntl(listener, F_SETFL, O_NONBLOCK));
    result("nobody yet", accept(listener, NULL, NULL));
    result("read", read(listener, &listener, 1));
    result("write", write(listener, "x", 1));
    int bytes;
    result("FIONREAD", ioctl(listener, FIONREAD, &bytes));
    int clients[4];
    for (int each = 0; each < 4; each++) {
        clients[each] = must(socket(AF_UNIX, type | SOCK_NONBLOCK, 0));
        result("connect", connect_to(clients[each], "listener"));
    }
    tell_ready("some", listener);
    tell_ready("connected", clients[0]);
    tell_ready("not connected", clients[3]);
    write(clients[0], "early", 5);
    int taken = must(accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    tell("flags", "%x %x", fcntl(taken, F_GETFL), fcntl(taken, F_GETFD));
    tell_received("early bytes", taken, 10, 0);
    result("there is room", connect_to(clients[2], "listener"));

    // Waiting for room.
    must(fcntl(clients[3], F_SETFL, 0));
    must(fcntl(listener, F_SETFL, 0));
    pthread_create(&thread, NULL, accept_soon, NULL);
    result("connect waits", connect_to(clients[3], "listener"));
    void *other;
    pthread_join(thread, &other);
    close((long)other);
    tell_received("taken and closed", clients[1], 10, 0);
    struct timeval time = {0, 30000};
    int late = must(socket(AF_UNIX, type, 0));
    must(setsockopt(late, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
    result("connect with a time-out", connect_to(late, "listener"));
    result("a listener with room listens", listen(listener, 5));
    result("then", connect_to(late, "listener"));
    result("a listener connects", connect_to(listener, "listener"));
    result("a connected one listens", listen(late, 5));
    result("accept of one that does not listen", accept(late, NULL, NULL));

    // Who is not taken when the listener ends is told.
    close(listener);
    tell_ready("never taken", late);
    tell_received("never taken", late, 10, 0);
    tell_received("then", late, 10, 0);
    close(late);
    for (int each = 0; each < 4; each++) close(clients[each]);
    close(taken);
    unlink("listener");
}

int main(void) {
    pthread_t thread;
    void *made;
    signal(SIGPIPE, SIG_IGN);
    of_type(SOCK_STREAM);
    of_type(SOCK_SEQPACKET);

    listener = listen_at(SOCK_STREAM, "listener", 5);
    pthread_create(&thread, NULL, connect_soon, NULL);
    int taken = must(accept(listener, NULL, NULL));
    pthread_join(thread, &made);
    write(taken, "hello", 5);
    tell_received("accept waited", (int)(long)made, 10, 0);
    struct timeval time = {0, 30000};
    must(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    result("accept with a time-out", accept(listener, NULL, NULL));
    time.tv_usec = 0;
    must(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    pthread_create(&thread, NULL, shut_soon, NULL);
    result("accept while it is shut", accept(listener, NULL, NULL));
    pthread_join(thread, NULL);
    result("connect to what is shut", connect_to(must(socket(AF_UNIX, SOCK_STREAM, 0)), "listener"));
    tell_ready("shut listener", listener);

    // Connections to itself and through a shut end.
    unlink("listener");
    close(listener);
    listener = listen_at(SOCK_STREAM, "listener", 0);
    int client = connected_to(SOCK_STREAM, "listener");
    shutdown(client, SHUT_WR);
    taken = must(accept(listener, NULL, NULL));
    tell_received("shut before it was taken", taken, 10, 0);
    close(client);
    client = connected_to(SOCK_STREAM, "listener");
    write(client, "gone", 4);
    close(client);
    struct sockaddr_un from;
    socklen_t length = sizeof from;
    taken = must(accept(listener, (struct sockaddr *)&from, &length));
    tell_address("closed before it was taken", &from, length);
    tell_received("its words", taken, 10, 0);
    tell_received("then", taken, 10, 0);
    result("flags that there are not", syscall(SYS_accept4, listener, NULL, NULL, 1));
    result("not a socket", accept(0, NULL, NULL));
    result("datagrams", accept(must(socket(AF_UNIX, SOCK_DGRAM, 0)), NULL, NULL));
    result("datagrams", listen(must(socket(AF_UNIX, SOCK_DGRAM, 0)), 1));
    client = connected_to(SOCK_STREAM, "listener");
    result("nowhere to tell", accept(listener, (struct sockaddr *)8, &length));
    tell_ready("it is lost", client);
}
