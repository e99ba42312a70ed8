// Bytes go from and to pipes without the program's memory: splice(2), tee(2), vmsplice(2), sendfile(2).
#include "facts.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

static char block[300000], other[300000];
static int ends[2], more[2];

static void drop(void) {
    close(ends[0]);
    close(ends[1]);
    close(more[0]);
    close(more[1]);
}

static void fresh(void) {
    must(pipe(ends));
    must(pipe(more));
}

static void say(const char *name, int reading) {
    int waiting;
    must(ioctl(reading, FIONREAD, &waiting));
    fact(name, waiting);
}

static void files(void) {
    int file = make_file("file", "0123456789abcdef");
    int copy = make_file("copy", "");
    fresh();
    result("file to pipe", splice(file, NULL, ends[1], NULL, 6, 0));
    fact("position", lseek(file, 0, SEEK_CUR));
    loff_t from = 10;
    result("at an offset", splice(file, &from, ends[1], NULL, 4, SPLICE_F_MOVE));
    fact("offset", from);
    fact("position", lseek(file, 0, SEEK_CUR));
    result("the rest", splice(file, NULL, ends[1], NULL, 4000, SPLICE_F_MORE));
    result("the end", splice(file, NULL, ends[1], NULL, 4000, 0));
    say("in the pipe", ends[0]);
    result("pipe to file", splice(ends[0], NULL, copy, NULL, 12, 0));
    loff_t to = 100;
    result("to an offset", splice(ends[0], NULL, copy, &to, 5, 0));
    fact("offset", to);
    fact("position", lseek(copy, 0, SEEK_CUR));
    result("what is left", splice(ends[0], NULL, copy, NULL, 1000, 0));
    result("nothing, not waiting", splice(ends[0], NULL, copy, NULL, 1000, SPLICE_F_NONBLOCK));
    memset(other, 0, 200);
    fact("size", pread(copy, other, 200, 0));
    printf("%.20s %.5s\n", other, other + 100);
    close(ends[1]);
    result("no writer", splice(ends[0], NULL, copy, NULL, 1000, 0));
    drop();

    memset(block, 'x', sizeof block);
    must(ftruncate(file, 0));
    must(pwrite(file, block, sizeof block, 0));
    fresh();
    from = 0;
    result("fills the pipe", splice(file, &from, ends[1], NULL, sizeof block, 0));
    result("full", splice(file, &from, ends[1], NULL, 1, SPLICE_F_NONBLOCK));
    result("sendfile to a full pipe", (fcntl(ends[1], F_SETFL, O_NONBLOCK),
        sendfile(ends[1], file, NULL, 10)));
    must(read(ends[0], other, 65536));
    lseek(file, 0, SEEK_SET);
    result("sendfile takes what fits", sendfile(ends[1], file, NULL, sizeof block));
    fact("position", lseek(file, 0, SEEK_CUR));
    must(fcntl(more[1], F_SETPIPE_SZ, 1 << 20));
    result("all to a larger one", splice(ends[0], NULL, more[1], NULL, 1 << 20, 0));
    from = 0;
    result("and more", splice(file, &from, more[1], NULL, 100000, 0));
    say("in it", more[0]);
    result("to a file", splice(more[0], NULL, copy, NULL, 1 << 20, 0));
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    result("no reader", splice(file, &from, ends[1], NULL, 5, 0));
    drop();
    close(file);
    close(copy);
}

static void errors(void) {
    int file = make_file("file", "0123456789abcdef");
    int writing = must(open("copy", O_WRONLY));
    int appending = must(open("copy", O_WRONLY | O_APPEND));
    int place = must(open("copy", O_PATH));
    int folder = must(open(".", O_RDONLY));
    int event = eventfd(1, 0);
    loff_t offset = 0, negative = -1;
    fresh();
    must(write(ends[1], "abcdef", 6));
    result("nothing", splice(99, NULL, 99, NULL, 0, 99));
    result("flags", splice(99, NULL, 99, NULL, 1, 16));
    result("no source", splice(99, NULL, ends[1], NULL, 1, 0));
    result("no target", splice(ends[0], NULL, 99, NULL, 1, 0));
    result("two files", splice(file, NULL, writing, NULL, 1, 0));
    result("unreadable", splice(writing, NULL, ends[1], NULL, 1, 0));
    result("unwritable", splice(file, NULL, ends[0], NULL, 1, 0));
    result("O_PATH", splice(place, NULL, ends[1], NULL, 1, 0));
    result("offset of a pipe", splice(ends[0], &offset, writing, NULL, 1, 0));
    result("offset to a pipe", splice(file, NULL, ends[1], &offset, 1, 0));
    result("bad offset", splice(file, (loff_t *)8, ends[1], NULL, 1, 0));
    result("negative offset", splice(file, &negative, ends[1], NULL, 1, 0));
    result("negative target", splice(ends[0], NULL, writing, &negative, 1, 0));
    result("appending", splice(ends[0], NULL, appending, NULL, 1, 0));
    result("itself", splice(ends[0], NULL, ends[1], NULL, 1, 0));
    result("folder", splice(folder, NULL, ends[1], NULL, 1, 0));
    result("eventfd", splice(event, NULL, ends[1], NULL, 8, 0));
    say("still there", ends[0]);
    result("tee flags", tee(99, 99, 0, 16));
    result("tee nothing", tee(99, 99, 0, 0));
    result("tee no source", tee(99, ends[1], 1, 0));
    result("tee unwritable", tee(ends[0], more[0], 1, 0));
    result("tee to a file", tee(ends[0], writing, 1, 0));
    result("tee itself", tee(ends[0], ends[1], 1, 0));
    struct iovec vector = {block, 10};
    result("vmsplice flags", vmsplice(ends[1], &vector, 1, 16));
    result("vmsplice no descriptor", vmsplice(99, &vector, 1, 0));
    result("vmsplice to a file", vmsplice(writing, &vector, 1, 0));
    result("vmsplice too many", vmsplice(ends[1], &vector, 1025, 0));
    result("vmsplice bad list", vmsplice(ends[1], (struct iovec *)8, 1, 0));
    result("vmsplice nothing", vmsplice(ends[1], &vector, 0, 0));
    vector.iov_base = (char *)8;
    result("vmsplice bad memory", vmsplice(ends[1], &vector, 1, 0));
    result("sync_file_range", sync_file_range(file, 0, 0, 7));
    result("sync flags", sync_file_range(file, 0, 0, 8));
    result("sync offset", sync_file_range(file, -1, 0, 0));
    result("sync end", sync_file_range(file, LLONG_MAX, 1, 0));
    result("sync of a pipe", sync_file_range(ends[0], 0, 0, 0));
    result("sync of none", sync_file_range(99, 0, 0, 99));
    result("readahead", readahead(file, 0, 4096));
    result("readahead unreadable", readahead(writing, 0, 4096));
    result("readahead of a pipe", readahead(ends[0], 0, 4096));
    result("readahead of a folder", readahead(folder, 0, 4096));
    result("sendfile appending", sendfile(appending, file, NULL, 1));
    result("sendfile from a pipe", sendfile(writing, ends[0], NULL, 1));
    result("sendfile offset of a pipe", sendfile(writing, ends[0], &negative, 1));
    result("sendfile negative", sendfile(writing, file, &negative, 1));
    drop();
}

static void pipes(void) {
    fresh();
    must(write(ends[1], "first second", 12));
    result("tee", tee(ends[0], more[1], 5, 0));
    result("tee all", tee(ends[0], more[1], 100, SPLICE_F_NONBLOCK));
    say("kept", ends[0]);
    result("read", read(more[0], other, 100));
    printf("%.17s\n", other);
    result("move", splice(ends[0], NULL, more[1], NULL, 6, 0));
    say("left", ends[0]);
    say("arrived", more[0]);
    result("move the rest", splice(ends[0], NULL, more[1], NULL, 100, 0));
    result("nothing to move", splice(ends[0], NULL, more[1], NULL, 100, SPLICE_F_NONBLOCK));
    result("nothing to tee", tee(ends[0], more[1], 100, SPLICE_F_NONBLOCK));
    result("read", read(more[0], other, 100));
    printf("%.12s\n", other);
    struct iovec vector[2] = {{"gather ", 7}, {"these", 5}};
    result("vmsplice", vmsplice(ends[1], vector, 2, 0));
    struct iovec parts[2] = {{other, 3}, {other + 100, 50}};
    result("vmsplice back", vmsplice(ends[0], parts, 2, 0));
    printf("%.3s|%.9s\n", other, other + 100);
    result("vmsplice none", vmsplice(ends[0], parts, 1, SPLICE_F_NONBLOCK));
    close(ends[1]);
    result("tee at the end", tee(ends[0], more[1], 100, 0));
    result("vmsplice at the end", vmsplice(ends[0], parts, 1, 0));
    drop();
}

static void *later(void *unused) {
    sleep_ms(30);
    must(write(ends[1], "late", 4));
    return NULL;
}

static void waits(void) {
    pthread_t thread;
    int copy = make_file("copy", "");
    fresh();
    pthread_create(&thread, NULL, later, NULL);
    result("waits for bytes", splice(ends[0], NULL, copy, NULL, 100, 0));
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, later, NULL);
    result("tee waits", tee(ends[0], more[1], 100, 0));
    pthread_join(thread, NULL);
    must(read(ends[0], other, 10));
    pthread_create(&thread, NULL, later, NULL);
    result("between pipes", splice(ends[0], NULL, more[1], NULL, 100, 0));
    pthread_join(thread, NULL);
    struct iovec part = {other, 50};
    pthread_create(&thread, NULL, later, NULL);
    result("vmsplice waits", vmsplice(ends[0], &part, 1, 0));
    pthread_join(thread, NULL);
    drop();
    close(copy);
}

static void ranges(void) {
    int file = make_file("file", "0123456789abcdef");
    int copy = make_file("copy", "");
    int far = must(memfd_create("far", 0));
    loff_t from = 0, to = 3;
    result("copy_file_range", copy_file_range(file, &from, copy, &to, 5, 0));
    result("over itself", copy_file_range(file, &from, file, &to, 5, 0));
    result("to another file system", copy_file_range(far, NULL, copy, NULL, 5, 0));
    result("flags", copy_file_range(file, &from, copy, &to, 5, 1));
    close(file);
    close(copy);
}

int main(void) {
    files();
    errors();
    pipes();
    waits();
    ranges();
    return 0;
}
