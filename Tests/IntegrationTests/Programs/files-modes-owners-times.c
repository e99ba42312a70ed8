#include "facts.h"

static int mode(const char *path) {
    struct stat status;
    return stat(path, &status) ? -1 : status.st_mode & 07777;
}

int main(void) {
    fact("old mask", umask(027) >= 0);
    close(must(open("masked", O_CREAT | O_WRONLY, 0666)));
    tell("masked", "%o", mode("masked"));
    mkdir("folder", 0777), tell("folder", "%o", mode("folder"));
    fact("mask", umask(0));
    outcome("chmod", chmod("masked", 04711)), tell("mode", "%o", mode("masked"));
    int file = open("masked", O_RDWR);
    outcome("fchmod", fchmod(file, 01600)), tell("mode", "%o", mode("masked"));
    outcome("fchmodat", fchmodat(AT_FDCWD, "masked", 0640, 0)), tell("mode", "%o", mode("masked"));
    outcome("chmod absent", chmod("absent", 0));
    outcome("chown to the same", chown("masked", getuid(), getgid()));
    outcome("chown nothing", chown("masked", -1, -1));
    outcome("fchown", fchown(file, getuid(), -1));
    outcome("chown absent", chown("absent", 0, 0));
    symlink("absent", "dangling");
    outcome("chown through a dangling link", chown("dangling", -1, -1));
    outcome("of the link", lchown("dangling", -1, -1));
    struct timespec times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
    struct stat status;
    outcome("utimensat", utimensat(AT_FDCWD, "masked", times, 0));
    stat("masked", &status);
    tell("times", "%ld.%09ld %ld.%09ld", (long)status.st_atim.tv_sec, status.st_atim.tv_nsec, (long)status.st_mtim.tv_sec,
        status.st_mtim.tv_nsec);
    times[0].tv_nsec = UTIME_OMIT, times[1].tv_nsec = UTIME_NOW;
    outcome("omit and now", utimensat(AT_FDCWD, "masked", times, 0));
    stat("masked", &status);
    fact("omitted", status.st_atim.tv_sec), fact("now", time(NULL) - status.st_mtim.tv_sec < 20);
    times[0].tv_nsec = 2000000000;
    outcome("bad nanoseconds", utimensat(AT_FDCWD, "masked", times, 0));
    outcome("futimens", futimens(file, NULL));
    outcome("absent", utimensat(AT_FDCWD, "absent", NULL, 0));
    times[0] = times[1] = (struct timespec){500, 0};
    outcome("link itself", utimensat(AT_FDCWD, "dangling", times, AT_SYMLINK_NOFOLLOW));
    lstat("dangling", &status), fact("its time", status.st_mtim.tv_sec);
    times[1].tv_sec = 700;
    futimens(file, times), write(file, "x", 1), fstat(file, &status);
    fact("a write moves it", status.st_mtim.tv_sec > 700);
}
