#include "sockets.h"
#include <sys/wait.h>
#include <sys/resource.h>

static int ends[2];

// Sends bytes with files; room for 300 of them, for which musl's own function has none.
static ssize_t send_files(int to, const char *text, size_t size, const int *files, int count, int flags) {
    union { struct cmsghdr align; char bytes[CMSG_SPACE(300 * sizeof(int))]; } control;
    memset(&control, 0, sizeof control);
    struct iovec place = {(char *)text, size};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1};
    if (count) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(head), files, count * sizeof(int));
    }
    return syscall(SYS_sendmsg, to, &message, flags);
}
static int received[300];
// Receives with room for so many bytes of ancillary data; tells all of it and keeps the files.
static int receive_files(const char *what, int from, size_t size, size_t room, int flags) {
    char buffer[64] = {0}, control[CMSG_SPACE(300 * sizeof(int))];
    struct iovec place = {buffer, size};
    struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room};
    ssize_t count = recvmsg(from, &message, flags);
    if (count < 0) return result(what, count), 0;
    printf("%s: %zd \"%.*s\" flags %x control %zu", what, count, (int)count, buffer, message.msg_flags, message.msg_controllen);
    int files = 0;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head; head = CMSG_NXTHDR(&message, head)) {
        int here = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        printf(" [level %d type %d length %zu]", head->cmsg_level, head->cmsg_type, head->cmsg_len);
        memcpy(received + files, CMSG_DATA(head), here * sizeof(int));
        files += here;
    }
    printf(" files %d\n", files);
    return files;
}
static void close_all(int count) {
    while (count) close(received[--count]);
}

static void in_streams(void) {
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    int file = make_file("passed", "contents");
    char text[20] = {0};
    must(lseek(file, 3, SEEK_SET));
    result("send", send_files(ends[0], "a", 1, &file, 1, 0));
    close(file);
    fact("files", receive_files("receive", ends[1], 10, CMSG_SPACE(sizeof(int)), MSG_CMSG_CLOEXEC));
    fact("closes on exec", fcntl(received[0], F_GETFD));
    must(read(received[0], text, 10));
    tell("position came along", "%s", text);
    must(lseek(received[0], 1, SEEK_SET));

    // It is the same open file.
    int twice[2] = {received[0], received[0]};
    must(send_files(ends[0], "b", 1, twice, 2, 0));
    receive_files("two", ends[1], 10, CMSG_SPACE(2 * sizeof(int)), 0);
    fact("closes on exec", fcntl(received[0], F_GETFD));
    must(lseek(received[0], 5, SEEK_SET));
    fact("position of the other", lseek(received[1], 0, SEEK_CUR));
    int kept = received[0];

    // Bounds of what came with a file.
    write(ends[0], "before ", 7);
    send_files(ends[0], "with", 4, &kept, 1, 0);
    write(ends[0], " after", 6);
    close_all(receive_files("up to it", ends[1], 60, 100, 0));
    close_all(receive_files("behind", ends[1], 60, 100, 0));
    send_files(ends[0], "first", 5, &kept, 1, 0);
    send_files(ends[0], "second", 6, &kept, 1, 0);
    close_all(receive_files("a part", ends[1], 2, 100, 0));
    close_all(receive_files("the others", ends[1], 60, 100, 0));
    close_all(receive_files("the second", ends[1], 60, 100, MSG_DONTWAIT));
    send_files(ends[0], "waits", 5, &kept, 1, 0);
    close_all(receive_files("not for all", ends[1], 20, 100, MSG_WAITALL));
    send_files(ends[0], "peeked", 6, &kept, 1, 0);
    close_all(receive_files("peek", ends[1], 20, 100, MSG_PEEK));
    close_all(receive_files("then", ends[1], 20, 100, 0));
    send_files(ends[0], "dropped", 7, &kept, 1, 0);
    tell_received("read drops it", ends[1], 20, 0);

    // Too little room.
    int many[260];
    for (int each = 0; each < 260; each++) many[each] = kept;
    send_files(ends[0], "x", 1, many, 3, 0);
    close_all(receive_files("room for two", ends[1], 10, CMSG_LEN(2 * sizeof(int)), 0));
    send_files(ends[0], "x", 1, many, 3, 0);
    close_all(receive_files("room for a head", ends[1], 10, sizeof(struct cmsghdr), 0));
    send_files(ends[0], "x", 1, many, 3, 0);
    close_all(receive_files("room for none", ends[1], 10, 0, 0));
    result("253", send_files(ends[0], "x", 1, many, 253, 0));
    close_all(receive_files("253", ends[1], 10, CMSG_SPACE(300 * sizeof(int)), 0));
    result("254", send_files(ends[0], "x", 1, many, 254, 0));
    many[1] = 777;
    result("one that is not open", send_files(ends[0], "x", 1, many, 3, 0));
    tell_received("nothing was sent", ends[1], 10, MSG_DONTWAIT);
    result("without a byte", send_files(ends[0], "", 0, many, 1, 0));
    tell_received("nothing came", ends[1], 10, MSG_DONTWAIT);

    // No descriptor is free.
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t before = limit.rlim_cur;
    int lowest = dup(kept);
    limit.rlim_cur = lowest + 1;
    must(setrlimit(RLIMIT_NOFILE, &limit));
    close(lowest);
    send_files(ends[0], "x", 1, many, 1, 0), send_files(ends[0], "y", 1, (int[]){kept, kept}, 2, 0);
    int first = receive_files("one is free", ends[1], 10, 100, 0);
    fact("files", first);
    receive_files("none is free", ends[1], 10, 100, 0);
    limit.rlim_cur = before;
    setrlimit(RLIMIT_NOFILE, &limit);
    close(ends[0]), close(ends[1]);
}

static void in_datagrams(int type) {
    must(socketpair(AF_UNIX, type, 0, ends));
    int file = must(open("passed", O_RDONLY | O_PATH));
    result("send", send_files(ends[0], "one", 3, &file, 1, 0));
    result("send", send_files(ends[0], "two", 3, NULL, 0, 0));
    result("send nothing with a file", send_files(ends[0], "", 0, &file, 1, 0));
    close_all(receive_files("peek", ends[1], 2, 100, MSG_PEEK));
    close_all(receive_files("one", ends[1], 10, 100, 0));
    close_all(receive_files("two", ends[1], 10, 100, 0));
    close_all(receive_files("nothing with a file", ends[1], 10, 100, 0));
    close(ends[0]), close(ends[1]), close(file);
}

// A child gets a pipe's end and writes to it.
static void between_processes(void) {
    int pipes[2];
    must(pipe(pipes));
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    if (must(fork()) == 0) {
        close(ends[0]), close(pipes[0]), close(pipes[1]);
        char byte, control[CMSG_SPACE(sizeof(int))];
        struct iovec place = {&byte, 1};
        struct msghdr message = {.msg_iov = &place, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
        must(recvmsg(ends[1], &message, 0));
        write(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&message)), "from the child", 14);
        _exit(0);
    }
    send_files(ends[0], "x", 1, &pipes[1], 1, 0);
    close(pipes[1]);
    char text[20] = {0};
    must(read(pipes[0], text, 20));
    tell("pipe", "%s", text);
    fact("its end", read(pipes[0], text, 20));
    wait(NULL);
    close(ends[0]), close(ends[1]);
}

// Sockets that hold each other on their way end nevertheless; others live.
static void cycles(void) {
    int pipes[2];
    must(pipe(pipes));
    for (int round = 0; round < 3; round++) {
        must(socketpair(AF_UNIX, round == 1 ? SOCK_DGRAM : SOCK_STREAM, 0, ends));
        int files[3] = {ends[0], ends[1], pipes[1]};
        send_files(ends[0], "x", 1, files, round == 2 ? 1 : 3, 0);
        send_files(ends[1], "x", 1, files, round == 2 ? 1 : 3, 0);
        close(ends[0]), close(ends[1]);
    }
    // A chain of sockets, each in the queue of the next.
    int last = must(dup(pipes[1]));
    for (int each = 0; each < 200; each++) {
        must(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
        must(send_files(ends[0], "x", 1, (int[]){last, ends[0]}, 1, 0));
        close(last), close(ends[0]);
        last = ends[1];
    }
    close(last);
    // What is reached from a descriptor stays.
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    int others[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, others));
    send_files(others[0], "x", 1, (int[]){pipes[0]}, 1, 0);
    send_files(ends[0], "x", 1, (int[]){others[1]}, 1, 0);
    close(others[0]), close(others[1]), close(pipes[1]);
    close_all(0);
    fact("files", receive_files("a socket with a file", ends[1], 10, 100, 0));
    int inner = received[0];
    fact("files", receive_files("the file in it", inner, 10, 100, 0));
    char byte;
    // The cycles held ends of the pipe: it ends only when they are gone.
    close(must(socket(AF_UNIX, SOCK_STREAM, 0)));
    sleep_ms(50);
    result("end of the pipe", read(received[0], &byte, 1));
}

int main(void) {
    in_streams();
    in_datagrams(SOCK_DGRAM);
    in_datagrams(SOCK_SEQPACKET);
    between_processes();
    cycles();
}
