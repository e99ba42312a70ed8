#include "facts.h"
#include <sys/sendfile.h>

int main(void) {
    int from = make_file("from", "0123456789abcdef"), to = make_file("to", "");
    char buffer[64] = {0};
    result("sendfile", sendfile(to, from, NULL, 6));
    off_t offset = 10;
    result("from an offset", sendfile(to, from, &offset, 100));
    fact("offset", offset);
    result("position", lseek(from, 0, SEEK_CUR));
    fact("length", pread(to, buffer, 63, 0)), tell("text", "%s", buffer);
    result("at the end", sendfile(to, from, &offset, 10));
    int pipes[2];
    pipe(pipes);
    result("into a pipe", sendfile(pipes[1], from, NULL, 4));
    result("out of it", read(pipes[0], buffer, 60)), tell("text", "%.4s", buffer);
    result("from a pipe", sendfile(to, pipes[0], NULL, 4));
    result("not open", sendfile(500, from, NULL, 4));
    loff_t source = 0, target = 20;
    result("copy_file_range", syscall(SYS_copy_file_range, from, &source, to, &target, 8, 0));
    tell("offsets", "%ld %ld", (long)source, (long)target);
    result("size", lseek(to, 0, SEEK_END));
    result("flags", syscall(SYS_copy_file_range, from, NULL, to, NULL, 8, 1));
    result("into a pipe", syscall(SYS_copy_file_range, from, NULL, pipes[1], NULL, 8, 0));
}
