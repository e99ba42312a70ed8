// Calls on a file in the working folder, which lies on tmpfs in both worlds.
#include "bench.h"

static int file;
static char byte;

static void read_one(long count) {
    while (count--) pread(file, &byte, 1, 0);
}
static void read_sequential(long count) {
    while (count--) {
        if (read(file, &byte, 1) == 0) lseek(file, 0, SEEK_SET);
    }
}
static void write_one(long count) {
    lseek(file, 0, SEEK_SET);
    while (count--) write(file, &byte, 1);
    ftruncate(file, 65536);
}
static void write_at(long count) {
    while (count--) pwrite(file, &byte, 1, 100);
}
static void open_close(long count) {
    while (count--) close(open("bench-file", O_RDONLY));
}
static struct stat status;
static void stat_path(long count) {
    while (count--) stat("bench-file", &status);
}
static void stat_descriptor(long count) {
    while (count--) fstat(file, &status);
}
static char page[4096];
static void read_page(long count) {
    while (count--) pread(file, page, sizeof page, 4096);
}

int main(int count, char **arguments) {
    file = open("bench-file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (file < 0 || ftruncate(file, 65536)) return 1;
    memset(page, 1, sizeof page);
    for (int each = 0; each < 16; each++) pwrite(file, page, sizeof page, each * 4096);
    BENCH("read-1", read_sequential);
    BENCH("write-1", write_one);
    BENCH("pread-1", read_one);
    BENCH("pwrite-1", write_at);
    BENCH("pread-4096", read_page);
    BENCH("open-close", open_close);
    BENCH("stat", stat_path);
    BENCH("fstat", stat_descriptor);
    unlink("bench-file");
}
