#include "facts.h"
#include <dirent.h>
#include <sys/time.h>
#include <utime.h>
#include <poll.h>

// Calls that C libraries make no more, for others do more.

static void list(void) {
    must(mkdir("folder", 0755));
    close(make_file("folder/one", "1"));
    must(symlink("one", "folder/two"));
    must(mkdir("folder/three", 0700));
    int folder = must(open("folder", O_RDONLY | O_DIRECTORY));
    char buffer[1024];
    result("room for nothing", syscall(SYS_getdents, folder, buffer, 8));
    result("a bad pointer", syscall(SYS_getdents, folder, (char *)8, sizeof buffer));
    long count = syscall(SYS_getdents, folder, buffer, sizeof buffer);
    int kinds[16] = {0}, entries = 0;
    for (long place = 0; place < count;) {
        struct {
            unsigned long inode, offset;
            unsigned short length;
            char name[];
        } *entry = (void *)(buffer + place);
        // The last byte is the kind.
        int kind = buffer[place + entry->length - 1];
        check(entry->length % 8 == 0);
        if (entry->name[0] != '.') {
            struct stat status;
            fstatat(folder, entry->name, &status, AT_SYMLINK_NOFOLLOW);
            check(status.st_ino == entry->inode && status.st_mode >> 12 == kind);
        }
        kinds[kind]++, entries++;
        place += entry->length;
    }
    tell("entries", "%d: %d folders, %d files, %d links", entries, kinds[DT_DIR], kinds[DT_REG], kinds[DT_LNK]);
    result("at the end", syscall(SYS_getdents, folder, buffer, sizeof buffer));
    int file = open("folder/one", O_RDONLY);
    result("no folder", syscall(SYS_getdents, file, buffer, sizeof buffer));
    result("nothing", syscall(SYS_getdents, 99, buffer, sizeof buffer));
    int path = open("folder", O_PATH);
    result("a path", syscall(SYS_getdents, path, buffer, sizeof buffer));
}

static void show_times(const char *name) {
    struct stat status;
    must(stat("dated", &status));
    tell(name, "%ld.%06ld %ld.%06ld", status.st_atim.tv_sec, status.st_atim.tv_nsec / 1000,
        status.st_mtim.tv_sec, status.st_mtim.tv_nsec / 1000);
}

static void is_now(const char *name) {
    struct stat status;
    must(stat("dated", &status));
    long now = time(0);
    fact(name, labs(status.st_atime - now) < 20 && labs(status.st_mtime - now) < 20);
}

static void date(void) {
    make_file("dated", "text");
    struct utimbuf seconds = {1000, 2000};
    result("utime", syscall(SYS_utime, "dated", &seconds));
    show_times("after it");
    result("to now", syscall(SYS_utime, "dated", 0));
    is_now("it is now");
    result("of nothing", syscall(SYS_utime, "missing", &seconds));
    result("by a bad pointer", syscall(SYS_utime, "dated", 8));
    result("of a bad name", syscall(SYS_utime, 8, 0));
    struct timeval times[2] = {{3000, 30}, {4000, 999999}};
    result("utimes", syscall(SYS_utimes, "dated", times));
    show_times("after it");
    times[1].tv_usec = 1000000;
    result("with too many parts", syscall(SYS_utimes, "dated", times));
    times[1].tv_usec = -1;
    result("with too few", syscall(SYS_utimes, "missing", times));
    result("utimes to now", syscall(SYS_utimes, "dated", 0));
    is_now("it is now");
    times[1].tv_usec = 5;
    int folder = must(open(".", O_RDONLY)), file = must(open("dated", O_RDONLY));
    result("futimesat", syscall(SYS_futimesat, folder, "dated", times));
    show_times("after it");
    times[0].tv_sec = 77;
    result("of a descriptor", syscall(SYS_futimesat, file, 0, times));
    show_times("after it");
    result("of the working folder's", syscall(SYS_futimesat, AT_FDCWD, "dated", 0));
    is_now("it is now");
    result("of no descriptor", syscall(SYS_futimesat, 99, "dated", times));
    result("below a file", syscall(SYS_futimesat, file, "dated", times));
    result("of no name in the working folder", syscall(SYS_futimesat, AT_FDCWD, 0, times));
}

static void tell_file_systems(void) {
    struct stat status;
    char record[64];
    memset(record, 'x', sizeof record);
    must(stat("/proc", &status));
    result("ustat", syscall(SYS_ustat, status.st_dev, record));
    // `struct ustat` has names of six bytes, which nobody fills.
    fact("its names", record[16] | record[21] | record[22] | record[27]);
    fact("what follows", record[32]);
    result("ustat of no device", syscall(SYS_ustat, 0xffff, record));
    result("ustat to nowhere", syscall(SYS_ustat, status.st_dev, 8));
    long count = syscall(SYS_sysfs, 3);
    check(count > 0);
    long proc = syscall(SYS_sysfs, 1, "proc");
    check(proc >= 0 && proc < count);
    result("its name", syscall(SYS_sysfs, 2, proc, record));
    tell("it is", "%s", record);
    result("number of no file system", syscall(SYS_sysfs, 1, "nothing"));
    result("name of no number", syscall(SYS_sysfs, 2, 10000, record));
    result("name to nowhere", syscall(SYS_sysfs, 2, proc, 8));
    result("number of a bad name", syscall(SYS_sysfs, 1, 8));
    result("an unknown question", syscall(SYS_sysfs, 4));
}

static void make_descriptors(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, 0);
    long file = syscall(SYS_signalfd, -1, &set, 8);
    fact("signalfd", file >= 0);
    tell("its flags", "%o %d", fcntl(file, F_GETFL), fcntl(file, F_GETFD));
    raise(SIGUSR1);
    struct pollfd entry = {file, POLLIN};
    result("ready", poll(&entry, 1, 0));
    char record[128];
    result("read", read(file, record, 128));
    fact("the signal", *(int *)record);
    result("again", syscall(SYS_signalfd, file, &set, 8) == file);
    result("with a mask of another size", syscall(SYS_signalfd, -1, &set, 4));
    result("with a bad mask", syscall(SYS_signalfd, -1, 8, 8));
    result("of another file", syscall(SYS_signalfd, 0, &set, 8));
    result("of none", syscall(SYS_signalfd, 99, &set, 8));
    long event = syscall(SYS_eventfd, 3);
    fact("eventfd", event >= 0);
    tell("its flags", "%o %d", fcntl(event, F_GETFL), fcntl(event, F_GETFD));
    unsigned long value = 0;
    result("read", read(event, &value, 8));
    fact("the value", value);
}

int main(void) {
    list();
    date();
    tell_file_systems();
    make_descriptors();
}
