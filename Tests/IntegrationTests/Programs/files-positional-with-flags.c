#include "facts.h"
#include <sys/uio.h>

enum { HIPRI = 1, DSYNC = 2, SYNC = 4, NOWAIT = 8, APPEND = 16, NOAPPEND = 32, ATOMIC = 64, DONTCACHE = 128 };

// The raw calls, for musl's libraries have no such functions; the second half of the position is not used.
static long in(int file, struct iovec *parts, long count, long position, int flags) {
    return syscall(SYS_preadv2, file, parts, count, position, 0, flags);
}

static long out(int file, struct iovec *parts, long count, long position, int flags) {
    return syscall(SYS_pwritev2, file, parts, count, position, 0, flags);
}

static char one[8], two[8];

static void show(int file) {
    char text[64] = "";
    must(pread(file, text, sizeof text - 1, 0));
    tell("holds", "%s, at %ld", text, (long)lseek(file, 0, SEEK_CUR));
}

int main(void) {
    int file = make_file("file", "0123456789");
    struct iovec parts[2] = {{one, 2}, {two, 3}};
    result("read", in(file, parts, 2, 1, 0));
    tell("what was read", "%.2s %.3s", one, two);
    result("read at the file's own position", in(file, parts, 2, -1, 0));
    tell("what was read", "%.2s %.3s", one, two);
    show(file);
    result("read below it", in(file, parts, 2, -2, 0));
    result("read at the end", in(file, parts, 2, 10, 0));
    result("read with priority", in(file, parts, 1, 0, HIPRI));
    result("read without waiting", in(file, parts, 1, 0, NOWAIT));
    result("read by an unknown flag", in(file, parts, 1, 0, 0x1000));
    result("read with all that a write has", in(file, parts, 1, 0, DSYNC | SYNC));
    result("read to append", in(file, parts, 1, 0, APPEND));
    result("of nothing by an unknown flag", in(99, parts, 1, 0, 0x1000));
    result("nothing by an unknown flag", in(file, parts, 0, 0, 0x1000));
    result("bad parts and an unknown flag", in(file, (struct iovec *)8, 1, 0, 0x1000));
    result("too many parts", in(file, parts, 1025, 0, 0));

    parts[0] = (struct iovec){"ab", 2};
    parts[1] = (struct iovec){"cde", 3};
    result("write", out(file, parts, 2, 2, 0));
    show(file);
    result("write at the file's own position", out(file, parts, 1, -1, SYNC));
    show(file);
    result("append", out(file, parts, 1, 0, APPEND));
    show(file);
    result("append at the file's own position", out(file, parts, 1, -1, APPEND));
    show(file);
    result("append and do not", out(file, parts, 1, 0, APPEND | NOAPPEND));
    result("write without waiting", out(file, parts, 1, 0, NOWAIT));
    result("write in one", out(file, parts, 1, 0, ATOMIC));
    result("write by an unknown flag", out(file, parts, 1, 0, 0x1000));
    int appending = must(open("file", O_RDWR | O_APPEND));
    result("write at a place of what appends", out(appending, parts, 1, 0, 0));
    show(file);
    result("the same, and do not append", out(appending, parts, 1, 0, NOAPPEND));
    show(file);
    result("the same at its own position", out(appending, parts, 1, -1, NOAPPEND));
    show(file);
    int reading = must(open("file", O_RDONLY));
    result("write to what is read", out(reading, parts, 1, 0, 0));
    result("write to it by an unknown flag", out(reading, parts, 1, 0, 0x1000));

    int ends[2];
    must(pipe(ends));
    result("read of a pipe at a place", in(ends[0], parts, 1, 0, 0));
    result("write to a pipe at a place", out(ends[1], parts, 1, 0, 0));
    result("write to a pipe", out(ends[1], parts, 2, -1, 0));
    parts[0] = (struct iovec){one, 8};
    result("read of a pipe", in(ends[0], parts, 1, -1, 0));
    tell("what was read", "%.5s", one);
    result("read of an empty pipe without waiting", in(ends[0], parts, 1, -1, NOWAIT));
    must(fcntl(ends[1], F_SETPIPE_SZ, 4096));
    static char page[4096];
    parts[0] = (struct iovec){page, 4096};
    result("fill it", out(ends[1], parts, 1, -1, NOWAIT));
    result("write to a full pipe without waiting", out(ends[1], parts, 1, -1, NOWAIT));
}
