#include "facts.h"
#include <linux/falloc.h>

static void show(int file) {
    struct stat status;
    fstat(file, &status);
    tell("size, blocks", "%ld %ld", (long)status.st_size, (long)status.st_blocks);
}

int main(void) {
    int file = make_file("file", "some content here");
    outcome("shorter", ftruncate(file, 4)), show(file);
    outcome("longer", ftruncate(file, 20000)), show(file);
    char buffer[32];
    pread(file, buffer, 16, 0);
    tell("cut bytes are zero", "%.4s %d %d", buffer, buffer[4], buffer[15]);
    outcome("by name", truncate("file", 3)), show(file);
    outcome("negative", ftruncate(file, -1));
    outcome("absent", truncate("absent", 0));
    outcome("folder", truncate(".", 0));
    int readonly = open("file", O_RDONLY);
    outcome("read only", ftruncate(readonly, 0));
    outcome("far write", pwrite(file, "end", 3, 5L << 30)), show(file);
    outcome("read in the hole", pread(file, buffer, 8, 3L << 30)), fact("zero", buffer[0] | buffer[7]);
    result("end of data before the hole", lseek(file, 5000, SEEK_DATA));
    result("first hole", lseek(file, 0, SEEK_HOLE));
    result("data at the start", lseek(file, 0, SEEK_DATA));
    result("hole in the last page", lseek(file, 5L << 30, SEEK_HOLE));
    result("data beyond the end", lseek(file, 6L << 30, SEEK_DATA));
    ftruncate(file, 0);
    outcome("allocate", fallocate(file, 0, 0, 10000)), show(file);
    outcome("keep size", fallocate(file, FALLOC_FL_KEEP_SIZE, 0, 40000)), show(file);
    pwrite(file, "abcdefgh", 8, 4096);
    outcome("punch", fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
    pread(file, buffer, 8, 4096), fact("punched", buffer[0]);
    outcome("punch without keeping", fallocate(file, FALLOC_FL_PUNCH_HOLE, 0, 4096));
    outcome("no length", fallocate(file, 0, 0, 0));
    outcome("negative offset", fallocate(file, 0, -1, 10));
    outcome("read only", fallocate(readonly, 0, 0, 10));
    outcome("posix", -posix_fallocate(file, 0, 100));
    outcome("sync", fsync(file)), outcome("data", fdatasync(file)), sync();
    outcome("advise", -posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL));
    static char block[100000];
    int growing = make_file("growing", "");
    for (int i = 0; i < 40; i++) write(growing, block, sizeof block);
    show(growing);
    outcome("cut", ftruncate(growing, 1234567)), show(growing);
    outcome("and stretched", ftruncate(growing, 5000000)), show(growing);
    outcome("written beyond", pwrite(growing, block, 10000, 6000000)), show(growing);
    int pipes[2];
    pipe(pipes);
    outcome("truncate a pipe", ftruncate(pipes[1], 0));
    outcome("sync a pipe", fsync(pipes[1]));
}
