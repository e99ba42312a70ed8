#include "sockets.h"
#include <sys/wait.h>

static int ends[2];
static pid_t first;

static const char *person(pid_t process) {
    return process == 0 ? "nobody" : process == first ? "first" : process == getpid() ? "self" : "another";
}
static void tell_peer(const char *what, int file) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(file, SOL_SOCKET, SO_PEERCRED, &peer, &length)) return result(what, -1);
    tell(what, "%s %d %d", person(peer.pid), (int)peer.uid, (int)peer.gid);
}
static void receive(const char *what, int from, size_t room, int flags) {
    char buffer[64] = {0}, control[200];
    struct iovec place = {buffer, 60};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    ssize_t count = recvmsg(from, &message, flags);
    if (count < 0) return result(what, count);
    printf("%s: %zd \"%s\" flags %x control %zu", what, count, buffer, message.msg_flags, message.msg_controllen);
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        printf(" type %d length %zu", head->cmsg_type, head->cmsg_len);
        if (head->cmsg_type != SCM_CREDENTIALS || head->cmsg_len < CMSG_LEN(12)) continue;
        struct ucred *who = (struct ucred *)CMSG_DATA(head);
        printf(" %s %d %d", person(who->pid), (int)who->uid, (int)who->gid);
    }
    printf("\n");
}
static ssize_t send_as(int to, const char *text, pid_t process, uid_t user, gid_t group, size_t size) {
    union { struct cmsghdr align; char bytes[CMSG_SPACE(sizeof(struct ucred))]; } control = {0};
    struct iovec place = {(char *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(size)};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_CREDENTIALS;
    head->cmsg_len = CMSG_LEN(size);
    *(struct ucred *)CMSG_DATA(head) = (struct ucred){process, user, group};
    return sendmsg(to, &message, 0);
}
// A child does it, and ends.
#define IN_CHILD(work) \
    do { \
        fflush(stdout); \
        if (must(fork()) == 0) { work; fflush(stdout); _exit(0); } \
        wait(NULL); \
    } while (0)

int main(void) {
    first = getpid();
    // Another user is to find the name.
    must(chmod(".", 0755));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    tell_peer("pair", ends[0]);
    tell_peer("alone", must(socket(AF_UNIX, SOCK_STREAM, 0)));
    IN_CHILD(tell_peer("pair in a child", ends[0]));
    int listener = listen_at(SOCK_STREAM, "listener", 5);
    tell_peer("listener", listener);
    IN_CHILD(tell_peer("child's view of the listener", connected_to(SOCK_STREAM, "listener")));
    int taken = must(accept(listener, NULL, NULL));
    struct ucred peer;
    socklen_t length = sizeof peer;
    must(getsockopt(taken, SOL_SOCKET, SO_PEERCRED, &peer, &length));
    tell("who connected", "%d %d %d", peer.pid != first && peer.pid > 0, peer.uid, peer.gid);
    length = 6;
    must(getsockopt(taken, SOL_SOCKET, SO_PEERCRED, &peer, &length));
    fact("cut", length);
    must(chmod("listener", 0777));
    IN_CHILD((setresgid(30, 31, 32), setresuid(20, 21, 22), connected_to(SOCK_STREAM, "listener")));
    taken = must(accept(listener, NULL, NULL));
    length = sizeof peer;
    must(getsockopt(taken, SOL_SOCKET, SO_PEERCRED, &peer, &length));
    tell("another user", "%d %d", peer.uid, peer.gid);
    result("set it", setsockopt(taken, SOL_SOCKET, SO_PEERCRED, &peer, length));

    // Asked for, they come with every message.
    fact("asked for", option(ends[1], SO_PASSCRED));
    write(ends[0], "before", 6);
    result("ask", set_option(ends[1], SO_PASSCRED, 1));
    fact("asked for", option(ends[1], SO_PASSCRED));
    receive("sent before", ends[1], 200, 0);
    write(ends[0], "mine", 4);
    receive("own", ends[1], 200, 0);
    write(ends[0], "mine", 4);
    receive("no room", ends[1], 0, 0);
    write(ends[0], "mine", 4);
    receive("little room", ends[1], 20, 0);
    write(ends[0], "mine", 4);
    IN_CHILD(write(ends[0], "child's", 7));
    write(ends[0], "mine again", 10);
    receive("up to another's", ends[1], 200, 0);
    receive("another's", ends[1], 200, 0);
    receive("own again", ends[1], 200, MSG_PEEK);
    receive("own again", ends[1], 200, 0);

    // Root may claim much.
    result("as it is", send_as(ends[0], "true", first, 0, 0, sizeof(struct ucred)));
    receive("true", ends[1], 200, 0);
    result("as another user", send_as(ends[0], "claimed", first, 7, 8, sizeof(struct ucred)));
    receive("claimed", ends[1], 200, 0);
    result("as nobody there is", send_as(ends[0], "x", 999999, 0, 0, sizeof(struct ucred)));
    result("too short", send_as(ends[0], "x", first, 0, 0, 8));
    must(setresgid(30, 31, 32));
    must(setresuid(20, 21, 22));
    result("as root", send_as(ends[0], "x", first, 0, 0, sizeof(struct ucred)));
    result("as oneself", send_as(ends[0], "saved", first, 22, 31, sizeof(struct ucred)));
    receive("saved", ends[1], 200, 0);
    result("as another process", send_as(ends[0], "x", 1, 20, 30, sizeof(struct ucred)));
    write(ends[0], "real", 4);
    receive("real", ends[1], 200, 0);

    // Datagrams; who asks gets a name.
    int receiver = must(socket(AF_UNIX, SOCK_DGRAM, 0)), sender = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    char name[40];
    snprintf(name, sizeof name, "@credentials-%d", first);
    must(bind_to(receiver, name));
    must(set_option(receiver, SO_PASSCRED, 1));
    must(set_option(sender, SO_PASSCRED, 1));
    must(send_to(sender, name, "packet"));
    receive("packet", receiver, 200, 0);
    struct sockaddr_un own;
    length = sizeof own;
    must(getsockname(sender, (struct sockaddr *)&own, &length));
    fact("the sender has a name", length);
    fact("an accepted one asks as its listener does", (close(listener), listener = must(socket(AF_UNIX, SOCK_STREAM, 0)), name[1] = 'D', must(bind_to(listener, name)), must(listen(listener, 1)), set_option(listener, SO_PASSCRED, 1), connected_to(SOCK_STREAM, name), option(must(accept(listener, NULL, NULL)), SO_PASSCRED)));
}
