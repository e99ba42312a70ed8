#include "facts.h"

int main(void) {
    char name[64], buffer[65536];
    mkdir("many", 0755);
    for (int each = 0; each < 3000; each++) {
        sprintf(name, "many/%d", each * 7919 % 3001);
        int file = must(open(name, O_CREAT | O_EXCL | O_WRONLY, 0644));
        write(file, name, strlen(name));
        close(file);
    }
    long total = 0;
    for (int each = 0; each < 3000; each++) {
        sprintf(name, "many/%d", each * 7919 % 3001);
        struct stat status;
        must(stat(name, &status));
        total += status.st_size;
        must(unlink(name));
    }
    fact("bytes", total);
    outcome("empty again", rmdir("many"));
    int big = must(open("big", O_CREAT | O_RDWR, 0644));
    for (int part = 0; part < 1024; part++) {
        memset(buffer, part, sizeof buffer);
        must(write(big, buffer, sizeof buffer));
    }
    unsigned long sum = 0;
    lseek(big, 0, SEEK_SET);
    for (ssize_t count; (count = read(big, buffer, sizeof buffer)) > 0;) sum = sum * 31 + (unsigned char)buffer[count / 2];
    tell("sum", "%lu", sum);
    outcome("unlink", unlink("big"));
    int files[200];
    for (int each = 0; each < 200; each++) files[each] = must(open("same", O_CREAT | O_RDWR | O_APPEND, 0644));
    for (int each = 0; each < 200; each++) must(write(files[each], "12345", 5));
    fact("appended", lseek(files[0], 0, SEEK_END));
}
