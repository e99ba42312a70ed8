#include "ring.h"
#include <sys/socket.h>
#include <sys/un.h>

static struct ring r;
static char buffer[65536], other[65536];

static struct sockaddr_un name_of(const char *path) {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    strcpy(name.sun_path, path);
    return name;
}
static int connect_to(const char *path) {
    struct sockaddr_un name = name_of(path);
    int fd = must(socket(AF_UNIX, SOCK_STREAM, 0));
    must(connect(fd, (void *)&name, sizeof name));
    return fd;
}
static struct io_uring_sqe *accept_next(int fd, uint64_t data, unsigned flags) {
    struct io_uring_sqe *e = ring_next(&r, IORING_OP_ACCEPT, fd, data);
    e->ioprio = flags;
    return e;
}
// Whether the completions are descriptors; closes them.
static void show_accepted(const char *name) {
    struct io_uring_cqe *c;
    int count = 0;
    while ((c = ring_peek(&r))) {
        int flags = c->res < 0 ? 0 : fcntl(c->res, F_GETFD);
        int status = c->res < 0 ? 0 : fcntl(c->res, F_GETFL) & O_NONBLOCK;
        tell(name, "%llu %s%s%s%s", (unsigned long long)c->user_data, c->res < 0 ? error_name(-c->res) : "a socket",
            flags ? " close-on-exec" : "", status ? " non-blocking" : "", c->flags & IORING_CQE_F_MORE ? " more" : "");
        if (c->res >= 0) close(c->res);
        ++*r.cq_head, count++;
    }
    if (!count) tell(name, "nothing");
}

static void accepts(void) {
    struct sockaddr_un name = name_of("ring-socket"), peer;
    socklen_t length = sizeof peer;
    int listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
    must(bind(listener, (void *)&name, sizeof name)), must(listen(listener, 20));
    struct io_uring_sqe *e = accept_next(listener, 1, 0);
    e->addr = (uintptr_t)&peer, e->addr2 = (uintptr_t)&length;
    ring_go(&r, 0), show_accepted("nobody yet");
    int first = connect_to("ring-socket");
    show_accepted("accepted"), fact("length", length), close(first);
    accept_next(listener, 2, 0)->accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    first = connect_to("ring-socket"), ring_go(&r, 1), show_accepted("flags"), close(first);
    accept_next(listener, 3, 0)->accept_flags = 1, ring_go(&r, 1), show_accepted("unknown flag");
    accept_next(listener, 4, 0)->len = 1, ring_go(&r, 1), show_accepted("length");
    accept_next(listener, 5, 64), ring_go(&r, 1), show_accepted("unknown");
    accept_next(0, 6, 0), ring_go(&r, 1), show_accepted("no socket");
    int other = must(socket(AF_UNIX, SOCK_STREAM, 0));
    accept_next(other, 7, 0), ring_go(&r, 1), show_accepted("not listening");
    fcntl(listener, F_SETFL, O_NONBLOCK);
    accept_next(listener, 8, 0), ring_go(&r, 0), show_accepted("non-blocking");
    first = connect_to("ring-socket"), show_accepted("non-blocking"), close(first), close(other);
    accept_next(listener, 9, IORING_ACCEPT_MULTISHOT), ring_go(&r, 0), show_accepted("multishot");
    int all[3];
    for (int each = 0; each < 3; each++) all[each] = connect_to("ring-socket"), show_accepted("next");
    for (int each = 0; each < 3; each++) close(all[each]);
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, -1, 10), e->addr = 9, ring_go(&r, 2);
    ring_show(&r, "ends");
    for (int each = 0; each < 3; each++) all[each] = connect_to("ring-socket");
    accept_next(listener, 11, IORING_ACCEPT_MULTISHOT), ring_go(&r, 3), show_accepted("three at once");
    e = ring_next(&r, IORING_OP_ASYNC_CANCEL, -1, 12), e->cancel_flags = IORING_ASYNC_CANCEL_ANY;
    ring_go(&r, 2), ring_show(&r, "ends");
    // To a place, from where it is read.
    int list[2] = {-1, -1};
    must(ring_register(r.fd, IORING_REGISTER_FILES, list, 2));
    e = accept_next(listener, 13, 0), e->file_index = 2, e->flags = IOSQE_IO_LINK;
    e = ring_bytes(&r, IORING_OP_RECV, 1, buffer, 5, 0, 14), e->flags = IOSQE_FIXED_FILE;
    ring_go(&r, 0);
    first = connect_to("ring-socket"), must(send(first, "fixed", 5, 0));
    ring_enter(r.fd, 0, 2, IORING_ENTER_GETEVENTS, NULL, 0), ring_show(&r, "to a place");
    must(ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0));
    result("the end", recv(first, buffer, 5, 0));
    close(first), close(listener), unlink("ring-socket");
}

static void streams(void) {
    int pair[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    ring_bytes(&r, IORING_OP_RECV, pair[0], buffer, 100, 0, 1), ring_go(&r, 0), ring_show(&r, "receive");
    must(send(pair[1], "hello", 5, 0)), ring_show(&r, "received"), tell("bytes", "%.5s", buffer);
    ring_bytes(&r, IORING_OP_SEND, pair[1], "and back", 8, 0, 2);
    ring_bytes(&r, IORING_OP_RECV, pair[0], buffer, 100, 0, 3), ring_wait(&r, "send", 2);
    ring_bytes(&r, IORING_OP_RECV, pair[0], buffer, 10, 0, 4)->msg_flags = MSG_WAITALL;
    ring_go(&r, 0), must(send(pair[1], "12345", 5, 0)), ring_show(&r, "half"), must(send(pair[1], "67890x", 6, 0));
    ring_show(&r, "all"), tell("bytes", "%.10s", buffer);
    ring_bytes(&r, IORING_OP_RECV, pair[0], buffer, 10, 0, 5)->msg_flags = MSG_PEEK, ring_wait(&r, "peek", 1);
    ring_bytes(&r, IORING_OP_READ, pair[0], buffer, 10, 0, 6), ring_wait(&r, "read", 1);
    ring_bytes(&r, IORING_OP_RECV, pair[0], buffer, 10, 0, 7)->msg_flags = MSG_DONTWAIT, ring_wait(&r, "no waiting", 1);
    // More than there is room for: what is sent, and all of it.
    int done;
    ring_bytes(&r, IORING_OP_SEND, pair[1], other, 65536, 0, 8), ring_wait(&r, "much", 1);
    fcntl(pair[1], F_SETFL, O_NONBLOCK);
    while (send(pair[1], other, 4096, 0) > 0) continue;
    ring_bytes(&r, IORING_OP_SEND, pair[1], other, 30000, 0, 9)->msg_flags = MSG_WAITALL;
    ring_go(&r, 0), ring_show(&r, "no room");
    for (int each = 0; !ring_peek(&r) && each < 100; each++) recv(pair[0], buffer, 4096, MSG_DONTWAIT);
    ring_show(&r, "sent"), fcntl(pair[1], F_SETFL, 0);
    while ((done = recv(pair[0], buffer, sizeof buffer, MSG_DONTWAIT)) > 0) continue;
    struct msghdr header = {0};
    struct iovec parts[2] = {{"mes", 3}, {"sage", 4}}, into[2] = {{buffer, 2}, {buffer + 10, 20}};
    header.msg_iov = parts, header.msg_iovlen = 2;
    struct msghdr incoming = {.msg_iov = into, .msg_iovlen = 2};
    ring_bytes(&r, IORING_OP_RECVMSG, pair[0], &incoming, 1, 0, 10), ring_go(&r, 0), ring_show(&r, "message");
    ring_bytes(&r, IORING_OP_SENDMSG, pair[1], &header, 1, 0, 11), ring_go(&r, 2);
    unsigned long long sum = 0;
    for (struct io_uring_cqe *c; (c = ring_peek(&r)); ++*r.cq_head) sum += c->user_data * 100 + c->res;
    fact("both", sum), tell("bytes", "%.2s %.5s", buffer, buffer + 10);
    ring_bytes(&r, IORING_OP_SEND, pair[1], (void *)16, 10, 0, 12), ring_wait(&r, "from elsewhere", 1);
    ring_bytes(&r, IORING_OP_RECV, pair[0], buffer, 10, 7, 13), ring_wait(&r, "offset", 1);
    ring_bytes(&r, IORING_OP_SEND, 0, buffer, 10, 0, 14), ring_wait(&r, "no socket", 1);
    ring_bytes(&r, IORING_OP_RECV, pair[0], buffer, 10, 0, 15)->ioprio = IORING_RECVSEND_POLL_FIRST;
    ring_go(&r, 0), must(send(pair[1], "first", 5, 0)), ring_show(&r, "polls first");
    ring_bytes(&r, IORING_OP_RECV, pair[0], buffer, 10, 0, 16), ring_go(&r, 0);
    ring_bytes(&r, IORING_OP_SHUTDOWN, pair[1], NULL, SHUT_WR, 0, 17), ring_go(&r, 2), sum = 0;
    for (struct io_uring_cqe *c; (c = ring_peek(&r)); ++*r.cq_head) sum += c->user_data * 100 + c->res;
    fact("shut down", sum);
    close(pair[0]);
    ring_bytes(&r, IORING_OP_SEND, pair[1], buffer, 10, 0, 18), ring_wait(&r, "nobody", 1);
    close(pair[1]);
}

static void datagrams(void) {
    struct sockaddr_un name = name_of("ring-datagrams");
    int to = must(socket(AF_UNIX, SOCK_DGRAM, 0)), from = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    must(bind(to, (void *)&name, sizeof name));
    ring_bytes(&r, IORING_OP_RECV, to, buffer, 3, 0, 1), ring_go(&r, 0);
    must(sendto(from, "message", 7, 0, (void *)&name, sizeof name)), ring_show(&r, "cut");
    struct io_uring_sqe *e = ring_bytes(&r, IORING_OP_SEND, from, "to a name", 9, 0, 2);
    e->addr2 = (uintptr_t)&name, e->addr_len = sizeof name, ring_wait(&r, "to a name", 1);
    e = ring_bytes(&r, IORING_OP_CONNECT, from, &name, 0, sizeof name, 3), e->flags = IOSQE_IO_LINK;
    ring_bytes(&r, IORING_OP_SEND, from, "connected", 9, 0, 4), ring_wait(&r, "connect", 2);
    e = ring_bytes(&r, IORING_OP_CONNECT, from, &name, 5, sizeof name, 5), ring_wait(&r, "length", 1);
    for (int each = 0; each < 2; each++) result("they came", recv(to, buffer, 100, 0));
    e = ring_next(&r, IORING_OP_SOCKET, AF_UNIX, 6), e->off = SOCK_STREAM, ring_go(&r, 1), show_accepted("a new one");
    unlink("ring-datagrams");
    // A ring is not passed on.
    int pair[2], number = r.fd;
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    char control[CMSG_SPACE(4)] = {0};
    struct iovec one = {"x", 1};
    struct msghdr header = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET, rights->cmsg_type = SCM_RIGHTS, rights->cmsg_len = CMSG_LEN(4);
    memcpy(CMSG_DATA(rights), &number, 4);
    result("a ring", sendmsg(pair[0], &header, 0));
}

int main(void) {
    r = ring_make(16, 0, 0);
    accepts();
    streams();
    datagrams();
    return 0;
}
