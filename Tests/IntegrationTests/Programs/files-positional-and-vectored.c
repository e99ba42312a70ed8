#include "facts.h"
#include <sys/uio.h>

int main(void) {
    int file = make_file("data", "");
    struct iovec parts[3] = {{"one ", 4}, {"", 0}, {"three", 5}};
    result("writev", writev(file, parts, 3));
    result("pwrite", pwrite(file, "ONE", 3, 0));
    result("position unmoved", lseek(file, 0, SEEK_CUR));
    char first[3], second[20] = {0};
    struct iovec in[2] = {{first, 3}, {second, 19}};
    lseek(file, 0, SEEK_SET);
    result("readv", readv(file, in, 2));
    tell("read", "%.3s|%s", first, second);
    result("at the end", readv(file, in, 2));
    memset(second, 0, sizeof second);
    result("preadv", preadv(file, in, 2, 1));
    tell("read", "%.3s|%s", first, second);
    result("pwritev beyond the end", pwritev(file, parts, 3, 100));
    result("size", lseek(file, 0, SEEK_END));
    result("the gap is zero", pread(file, first, 3, 50));
    fact("byte", first[0] | first[1] | first[2]);
    result("pread negative", pread(file, first, 3, -1));
    result("pread at the end", pread(file, first, 3, 1000));
    result("lseek negative", lseek(file, -1, SEEK_SET));
    result("lseek far", lseek(file, 1L << 40, SEEK_SET));
    result("read there", read(file, first, 3));
    result("lseek unknown", lseek(file, 0, 99));
    result("no vectors", readv(file, in, 0));
    result("negative count", readv(file, in, -1));
    result("too many vectors", readv(file, in, 1025));
    in[1].iov_len = -1;
    result("negative length", readv(file, in, 2));
    result("bad vector", readv(file, (void *)8, 1));
    int pipes[2];
    pipe(pipes);
    result("lseek of a pipe", lseek(pipes[0], 0, SEEK_SET));
    result("pread of a pipe", pread(pipes[0], first, 1, 0));
    lseek(file, 0, SEEK_SET);
    struct iovec half[2] = {{second, 4}, {(void *)8, 4}};
    result("half of it good", readv(file, half, 2));
    result("bad buffer", read(file, (void *)8, 4));
    result("bad buffer, no bytes", read(file, (void *)8, 0));
    result("write from a bad buffer", write(file, (void *)8, 4));
    result("not open", read(999, first, 1));
    result("negative descriptor", write(-1, first, 1));
}
