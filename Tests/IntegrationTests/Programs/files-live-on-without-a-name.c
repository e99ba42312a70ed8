#include "facts.h"

int main(void) {
    int file = make_file("file", "0123456789");
    int reader = must(open("file", O_RDONLY));
    unlink("file");
    outcome("name is gone", open("file", O_RDONLY));
    outcome("write", pwrite(file, "abc", 3, 0));
    char buffer[16] = {0};
    read(reader, buffer, 15);
    tell("read", "%s", buffer);
    close(make_file("file", "another"));
    struct stat one, two;
    fstat(file, &one), stat("file", &two);
    fact("another file", one.st_ino != two.st_ino);
    lseek(reader, 0, SEEK_SET), read(reader, buffer, 15);
    tell("unchanged", "%s", buffer);
    char link[64], path[64];
    sprintf(path, "/proc/self/fd/%d", file);
    ssize_t length = readlink(path, link, 63);
    fact("its link says deleted", length > 9 && memcmp(link + length - 9, "(deleted)", 9) == 0);
    int again = open(path, O_RDONLY);
    outcome("opened again through proc", again);
    fact("reads", pread(again, buffer, 3, 0)), tell("text", "%.3s", buffer);
}
