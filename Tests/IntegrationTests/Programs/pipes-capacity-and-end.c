#include "facts.h"
#include <sys/ioctl.h>

int main(void) {
    int pipes[2], waiting;
    static char buffer[200000];
    must(pipe2(pipes, O_NONBLOCK));
    result("empty", read(pipes[0], buffer, 10));
    result("write", write(pipes[1], "hello", 5));
    ioctl(pipes[0], FIONREAD, &waiting), fact("waiting", waiting);
    result("read part", read(pipes[0], buffer, 2));
    result("read rest", read(pipes[0], buffer, 10));
    fact("capacity", fcntl(pipes[0], F_GETPIPE_SZ));
    result("more than it holds", write(pipes[1], buffer, sizeof buffer));
    result("full", write(pipes[1], buffer, 1));
    ioctl(pipes[1], FIONREAD, &waiting), fact("waiting", waiting);
    result("read a page", read(pipes[0], buffer, 4096));
    result("room for a page", write(pipes[1], buffer, 4096));
    result("read 100", read(pipes[0], buffer, 100));
    result("an atomic write waits for room", write(pipes[1], buffer, 200));
    result("grow", fcntl(pipes[0], F_SETPIPE_SZ, 131072));
    result("shrink below what it holds", fcntl(pipes[0], F_SETPIPE_SZ, 4096));
    while (read(pipes[0], buffer, sizeof buffer) > 0) continue;
    result("read from the writing end", read(pipes[1], buffer, 1));
    result("write to the reading end", write(pipes[0], buffer, 1));
    write(pipes[1], "last", 4);
    close(pipes[1]);
    result("what was left", read(pipes[0], buffer, 10));
    result("the end", read(pipes[0], buffer, 10));
    result("bad flags", pipe2(pipes, 1));
    result("bad pointer", syscall(SYS_pipe2, 8, 0));
    must(pipe2(pipes, O_CLOEXEC));
    tell("flags", "%d %d", fcntl(pipes[0], F_GETFD), fcntl(pipes[1], F_GETFL) & O_ACCMODE);
    int on = 1;
    result("FIONBIO", ioctl(pipes[0], FIONBIO, &on));
    result("now it does not block", read(pipes[0], buffer, 1));
    result("unknown ioctl", ioctl(pipes[0], 0x12345678, &on));
    result("no bytes", write(pipes[1], buffer, 0));
    struct stat status;
    fstat(pipes[0], &status), fact("a fifo", S_ISFIFO(status.st_mode));
}
