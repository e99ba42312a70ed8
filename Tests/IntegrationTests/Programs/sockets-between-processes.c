#include "sockets.h"
#include <sys/sendfile.h>
#include <sys/wait.h>

// A server with children that serve, and clients that are processes.
static void serve(int connection) {
    char line[100];
    ssize_t count;
    while ((count = read(connection, line, sizeof line)) > 0) {
        for (ssize_t each = 0; each < count; each++) line[each] ^= ' ';
        must(write(connection, line, count));
    }
    _exit(0);
}
static void use(int number) {
    int connection = connected_to(SOCK_STREAM, "server");
    for (int each = 0; each < 50; each++) {
        char line[20], answer[20] = {0};
        int length = snprintf(line, sizeof line, "client-%c-%c", 'a' + number, 'a' + each % 26);
        must(write(connection, line, length));
        must(recv(connection, answer, length, MSG_WAITALL));
        for (int place = 0; place < length; place++) check(answer[place] == (line[place] ^ ' '));
    }
    _exit(number);
}

int main(void) {
    int listener = listen_at(SOCK_STREAM, "server", 20);
    if (must(fork()) == 0) {
        for (int each = 0; each < 10; each++) {
            int connection = must(accept(listener, NULL, NULL));
            if (must(fork()) == 0) serve(connection);
            close(connection);
        }
        while (wait(NULL) > 0) continue;
        _exit(100);
    }
    close(listener);
    for (int each = 0; each < 10; each++) {
        if (must(fork()) == 0) use(each);
    }
    int sum = 0, status;
    while (wait(&status) > 0) sum += WEXITSTATUS(status);
    fact("statuses", sum);
    int late = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("the server has ended", connect_to(late, "server"));

    // Both ends of a pair are inherited; the end comes when the last copy is closed.
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    if (must(fork()) == 0) {
        close(ends[0]);
        sleep_ms(20);
        must(write(ends[1], "from below", 10));
        _exit(0);
    }
    close(ends[1]);
    tell_received("inherited", ends[0], 20, 0);
    tell_received("its end", ends[0], 20, 0);
    wait(NULL);

    // A file is sent.
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    int file = make_file("sent", "0123456789");
    off_t from = 3;
    result("sendfile", sendfile(ends[0], file, &from, 5));
    fact("offset", from);
    tell_received("its bytes", ends[1], 20, 0);
    result("sendfile from a socket", sendfile(file, ends[1], NULL, 5));
    shutdown(ends[0], SHUT_WR);
    signal(SIGPIPE, SIG_IGN);
    result("sendfile to what is shut", sendfile(ends[0], file, NULL, 5));

    // Bytes go to a pipe and from it.
    int pipes[2];
    must(pipe(pipes));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    write(ends[0], "through a pipe", 14);
    result("splice from a socket", splice(ends[1], NULL, pipes[1], NULL, 100, 0));
    result("splice to a socket", splice(pipes[0], NULL, ends[1], NULL, 9, 0));
    tell_received("came back", ends[0], 20, 0);
    result("splice nothing", splice(ends[0], NULL, pipes[1], NULL, 100, SPLICE_F_NONBLOCK | (fcntl(ends[0], F_SETFL, O_NONBLOCK), 0)));
    close(ends[1]);
    result("splice from what is closed", splice(ends[0], NULL, pipes[1], NULL, 100, 0));
    result("splice to what is closed", splice(pipes[0], NULL, ends[0], NULL, 100, 0));

    // Datagrams of children.
    int receiver = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    must(bind_to(receiver, "log"));
    for (int each = 0; each < 30; each++) {
        if (must(fork()) == 0) {
            int sender = must(socket(AF_UNIX, SOCK_DGRAM, 0));
            must(connect_to(sender, "log"));
            must(send(sender, &each, sizeof each, 0));
            _exit(0);
        }
    }
    int total = 0;
    for (int each = 0; each < 30; each++) {
        int number = 0;
        must(recv(receiver, &number, sizeof number, 0));
        total += number;
    }
    fact("datagrams", total);
    while (wait(NULL) > 0) continue;
}
