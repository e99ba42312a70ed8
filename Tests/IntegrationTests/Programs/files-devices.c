#include "facts.h"

static void device(const char *path) {
    char buffer[64];
    memset(buffer, 1, sizeof buffer);
    int file = open(path, O_RDWR);
    tell("device", "%s", path);
    outcome("open", file);
    result("read", read(file, buffer, sizeof buffer));
    int zeroes = 0;
    for (int each = 0; each < 64; each++) zeroes += buffer[each] == 0;
    fact("mostly zero", zeroes > 32);
    result("write", write(file, buffer, 10));
    result("seek", lseek(file, 5, SEEK_SET));
    close(file);
}

int main(void) {
    device("/dev/null"), device("/dev/zero"), device("/dev/full"), device("/dev/random"), device("/dev/urandom");
    int zero = open("/dev/zero", O_RDWR);
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    fact("mapped", page != MAP_FAILED && page[5000] == 0);
    page[0] = 1;
    outcome("truncate null", truncate("/dev/null", 0));
    outcome("open null, truncating", open("/dev/null", O_WRONLY | O_TRUNC));
    outcome("stdin", access("/dev/stdin", F_OK));
    outcome("stdout", access("/dev/stdout", F_OK));
    outcome("fd", access("/dev/fd/1", F_OK));
    int out = open("/dev/stdout", O_WRONLY | O_APPEND);
    outcome("a second standard output", out);
    int pipes[2];
    pipe(pipes);
    char path[32], byte;
    sprintf(path, "/dev/fd/%d", pipes[0]);
    write(pipes[1], "p", 1);
    int again = open(path, O_RDONLY);
    fact("a pipe opened again", read(again, &byte, 1) == 1 && byte == 'p');
    char one[32] = {0}, two[32] = {0};
    fact("getrandom", syscall(SYS_getrandom, one, 32, 0)), fact("again", syscall(SYS_getrandom, two, 32, 1));
    fact("differ", memcmp(one, two, 32) != 0);
    result("bad flags", syscall(SYS_getrandom, one, 32, 64));
    result("bad pointer", syscall(SYS_getrandom, 8, 32, 0));
    result("none", syscall(SYS_getrandom, one, 0, 0));
    static char large[1 << 20];
    fact("a megabyte", syscall(SYS_getrandom, large, sizeof large, 0));
    result("ioctl of a file that is no terminal", isatty(zero));
}
