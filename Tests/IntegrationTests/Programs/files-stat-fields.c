#include "facts.h"
#include <sys/sysmacros.h>

static void show(const char *name, struct stat *s) {
    const char *type = S_ISREG(s->st_mode) ? "file" : S_ISDIR(s->st_mode) ? "folder" : S_ISLNK(s->st_mode) ? "link"
        : S_ISFIFO(s->st_mode) ? "fifo" : S_ISCHR(s->st_mode) ? "character" : "other";
    printf("%s: %s %o links %ld", name, type, s->st_mode & 07777, (long)s->st_nlink);
    if (!S_ISDIR(s->st_mode)) printf(" size %ld", (long)s->st_size);
    if (S_ISREG(s->st_mode)) printf(" blocks %ld", (long)s->st_blocks);
    if (S_ISCHR(s->st_mode)) printf(" device %d,%d", major(s->st_rdev), minor(s->st_rdev));
    printf("\n");
}

int main(void) {
    struct stat one, two;
    umask(022);
    int file = make_file("file", "twelve bytes");
    fstat(file, &one), show("file", &one);
    link("file", "second");
    stat("second", &two), show("second name", &two);
    fact("same file", one.st_ino == two.st_ino && one.st_dev == two.st_dev);
    symlink("file", "link");
    stat("link", &two), show("through the link", &two);
    lstat("link", &two), show("the link", &two);
    mkdir("folder", 0751), stat("folder", &two), show("folder", &two);
    mkdir("folder/inner", 0700), stat("folder", &two), show("with one inside", &two);
    mkfifo("fifo", 0600), stat("fifo", &two), show("fifo", &two);
    stat("/dev/null", &two), show("null", &two);
    stat("/dev/zero", &two), show("zero", &two);
    int pipes[2];
    pipe(pipes), fstat(pipes[0], &two), show("pipe", &two);
    unlink("second"), fstat(file, &two), show("one name less", &two);
    unlink("file"), fstat(file, &two), show("no name", &two);
    result("write then", write(file, "again and again", 15));
    fstat(file, &two), show("still a file", &two);
    ftruncate(file, 100000), fstat(file, &two), show("grown by truncation", &two);
    pwrite(file, "x", 1, 50000), fstat(file, &two), show("a byte in the middle", &two);
    fact("block size", two.st_blksize);
    fact("owner is me", two.st_uid == getuid() && two.st_gid == getgid());
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    fact("changed just now", now.tv_sec - two.st_mtime < 20 && now.tv_sec - two.st_ctime < 20);
    outcome("absent", stat("file", &two));
    outcome("below a file", stat("link/x", &two));
    outcome("bad buffer", syscall(SYS_newfstatat, AT_FDCWD, ".", 8, 0));
    outcome("bad flags", fstatat(AT_FDCWD, ".", &two, 1));
    outcome("empty path", fstatat(file, "", &two, AT_EMPTY_PATH));
    outcome("empty path without the flag", fstatat(file, "", &two, 0));
}
