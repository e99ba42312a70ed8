// Sizes of pipes, packet mode, and how FIFOs are opened: pipe(7), fifo(7).
#include "facts.h"
#include <poll.h>
#include <sys/ioctl.h>

static char block[1 << 21];

static void sizes(void) {
    int ends[2];
    must(pipe(ends));
    result("size", fcntl(ends[0], F_GETPIPE_SZ));
    result("smaller than a page", fcntl(ends[0], F_SETPIPE_SZ, 100));
    result("zero", fcntl(ends[0], F_SETPIPE_SZ, 0));
    result("not a power", fcntl(ends[1], F_SETPIPE_SZ, 5000));
    result("the largest for all", fcntl(ends[1], F_SETPIPE_SZ, 1 << 20));
    result("and back", fcntl(ends[1], F_SETPIPE_SZ, 65536));
    result("negative", fcntl(ends[1], F_SETPIPE_SZ, -1));
    must(fcntl(ends[1], F_SETFL, O_NONBLOCK));
    result("fill", write(ends[1], block, sizeof block));
    result("too small", fcntl(ends[1], F_SETPIPE_SZ, 4096));
    result("larger", fcntl(ends[1], F_SETPIPE_SZ, 131072));
    result("fill", write(ends[1], block, sizeof block));
    result("of a file", fcntl(0, F_GETPIPE_SZ));
    must(seteuid(1000));
    result("not root", fcntl(ends[1], F_SETPIPE_SZ, (1 << 20) + 1));
    result("not root, largest", fcntl(ends[1], F_SETPIPE_SZ, 1 << 20));
    must(seteuid(0));
    int limit = open("/proc/sys/fs/pipe-max-size", O_RDONLY);
    result("limit", read(limit, block, 100));
    printf("%s", block);
}

static void packets(void) {
    int ends[2], waiting;
    must(pipe2(ends, O_DIRECT | O_NONBLOCK));
    result("first", write(ends[1], "first", 5));
    result("second", write(ends[1], "second packet", 13));
    result("large", write(ends[1], block, 10000));
    must(ioctl(ends[0], FIONREAD, &waiting));
    fact("waiting", waiting);
    result("read", read(ends[0], block, 100));
    result("read a part", read(ends[0], block, 6));
    result("read", read(ends[0], block, 100));
    result("read a page", read(ends[0], block, 5000));
    result("read the rest", read(ends[0], block, 5000));
    result("empty", read(ends[0], block, 5000));
    int count = 0;
    while (write(ends[1], "x", 1) == 1) count++;
    fact("packets that fit", count);
    must(fcntl(ends[1], F_SETFL, O_NONBLOCK));
    result("read", read(ends[0], block, 5000));
    result("a stream again", write(ends[1], "stream", 6));
}

static const char *name = "fifo";

static void *opens(void *flags) {
    sleep_ms(30);
    int file = must(open(name, (int)(long)flags));
    sleep_ms(30);
    close(file);
    return NULL;
}

static void events(const char *what, int file) {
    struct pollfd entry = {file, POLLIN | POLLOUT, 0};
    poll(&entry, 1, 0);
    tell(what, "%x", entry.revents);
}

static void names(void) {
    pthread_t thread;
    must(mkfifo(name, 0644));
    result("again", mkfifo(name, 0644));
    result("write without reader", open(name, O_WRONLY | O_NONBLOCK));
    int reading = must(open(name, O_RDONLY | O_NONBLOCK));
    result("read without writer", read(reading, block, 10));
    events("never a writer", reading);
    int writing = must(open(name, O_WRONLY | O_NONBLOCK));
    result("read with a writer", read(reading, block, 10));
    events("a writer", reading);
    must(write(writing, "text", 4));
    events("text", reading);
    events("writer", writing);
    close(writing);
    events("writer gone", reading);
    result("read", read(reading, block, 10));
    result("end", read(reading, block, 10));
    events("read to the end", reading);
    int second = must(open(name, O_RDONLY | O_NONBLOCK));
    events("a new reader", second);
    close(second);
    close(reading);

    int both = must(open(name, O_RDWR));
    result("write to itself", write(both, "echo", 4));
    result("read from itself", read(both, block, 10));
    must(fcntl(both, F_SETPIPE_SZ, 8192));
    result("size", fcntl(both, F_GETPIPE_SZ));
    must(write(both, "kept?", 5));
    close(both);
    both = must(open(name, O_RDWR | O_NONBLOCK));
    result("size after all closed", fcntl(both, F_GETPIPE_SZ));
    result("what was left", read(both, block, 10));
    close(both);

    pthread_create(&thread, NULL, opens, (void *)O_WRONLY);
    reading = must(open(name, O_RDONLY));
    result("a reader waits for a writer, and its end", read(reading, block, 10));
    pthread_join(thread, NULL);
    close(reading);
    pthread_create(&thread, NULL, opens, (void *)O_RDONLY);
    writing = must(open(name, O_WRONLY));
    tell("a writer waits for a reader", "%d", writing >= 0);
    pthread_join(thread, NULL);
    signal(SIGPIPE, SIG_IGN);
    result("no reader any more", write(writing, "x", 1));
    events("no reader", writing);
    close(writing);
    struct stat status;
    must(stat(name, &status));
    fact("size", status.st_size);
    result("mode", status.st_mode & 0170000);
    must(unlink(name));
}

int main(void) {
    sizes();
    packets();
    names();
    return 0;
}
