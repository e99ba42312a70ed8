#include "facts.h"
#include <sys/sendfile.h>
#include <sys/statfs.h>

#define FAR 0x7fffffffffffffffL

int main(void) {
    int file = make_file("file", "0123456789");
    int reader = must(open("file", O_RDONLY)), writer = must(open("file", O_WRONLY));
    int path = must(open(".", O_PATH)), folder = must(open(".", O_RDONLY));
    int pair[2];
    char buffer[64];
    must(pipe(pair));

    outcome("read of everything", syscall(SYS_read, file, buffer, -1L));
    outcome("write of everything", syscall(SYS_write, file, buffer, -1L));
    outcome("pread to beyond 2^63", pread(file, buffer, 10, FAR));
    outcome("pwrite to beyond 2^63", pwrite(file, buffer, 10, FAR));
    outcome("seek beyond 2^63", (lseek(file, 5, SEEK_SET), lseek(file, FAR, SEEK_CUR)));
    outcome("mapping to beyond 2^63",
        syscall(SYS_mmap, 0, 8192, PROT_READ, MAP_PRIVATE, file, 0x7ffffffffffff000L));
    outcome("huge pages of a file",
        syscall(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_HUGETLB, file, 0));

    outcome("entries of a path alone", syscall(SYS_getdents64, path, buffer, sizeof buffer));
    outcome("sendfile out of a folder", sendfile(file, folder, NULL, 5));
    outcome("truncating a folder", open(".", O_RDONLY | O_TRUNC));
    outcome("making a folder by open", open("new", O_CREAT | O_DIRECTORY | O_RDONLY, 0700));
    outcome("the same of a file", open("file", O_CREAT | O_DIRECTORY | O_RDONLY, 0700));
    struct { unsigned long flags, mode, resolve; } how = {O_PATH | O_RDWR, 0, 0};
    outcome("openat2 of a path for writing", syscall(437, AT_FDCWD, "file", &how, sizeof how));
    how.flags = O_PATH | O_CLOEXEC;
    outcome("openat2 of a path", syscall(437, AT_FDCWD, "file", &how, sizeof how));

    struct timespec neither[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
    outcome("no times of no file", utimensat(AT_FDCWD, "absent", neither, 0));
    neither[0].tv_nsec = UTIME_NOW;
    outcome("one time of no file", utimensat(AT_FDCWD, "absent", neither, 0));
    struct statfs status;
    must(fstatfs(pair[0], &status));
    tell("what a pipe lies on", "%lx", (long)status.f_type);

    outcome("readahead", readahead(reader, 0, 10));
    outcome("of one for writing", readahead(writer, 0, 10));
    outcome("of a pipe", readahead(pair[0], 0, 10));
    outcome("of nothing", readahead(99, 0, 10));
    outcome("sync_file_range", syscall(SYS_sync_file_range, file, 0L, 0L, 7));
    outcome("with another flag", syscall(SYS_sync_file_range, file, 0L, 0L, 8));
    outcome("before the start", syscall(SYS_sync_file_range, file, -1L, 5L, 7));
    outcome("beyond the end", syscall(SYS_sync_file_range, file, FAR, 5L, 7));
    outcome("of a pipe", syscall(SYS_sync_file_range, pair[0], 0L, 0L, 7));
    outcome("of a path alone", syscall(SYS_sync_file_range, path, 0L, 0L, 7));

    int full = must(open("/dev/full", O_RDWR));
    outcome("nothing to a full device", write(full, buffer, 0));
    char *locked = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    must(mlock(locked, 4096));
    outcome("locked memory is not free", madvise(locked, 4096, 8));
    struct timespec soon = {0, 1};
    outcome("sleeping on a thread's clock",
        syscall(SYS_clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &soon, NULL));
    outcome("a group for a negative number", syscall(SYS_setpgid, -1, 0));
}
