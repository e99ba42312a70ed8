// Names, contents and attributes in the working folder, which may be one of the host's.
#include "facts.h"

#include <dirent.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/statfs.h>
#include <sys/wait.h>

static int new_file(const char *name, const char *text) {
    int file = open(name, O_CREAT | O_TRUNC | O_RDWR, 0644);
    if (file >= 0 && write(file, text, strlen(text)) < 0)
        perror(name);
    return file;
}

static void show(const char *name) {
    char text[64] = "";
    int file = open(name, O_RDONLY);
    ssize_t count = read(file, text, sizeof text - 1);
    printf("%s: %zd '%s'\n", name, count, count > 0 ? text : "");
    close(file);
}

static void contents(void) {
    int file = new_file("a", "hello");
    printf("fsync %d\n", fsync(file));
    printf("pwrite %zd\n", pwrite(file, "J", 1, 0));
    printf("end %ld\n", (long)lseek(file, 0, SEEK_END));
    printf("hole %zd\n", pwrite(file, "!", 1, 9000));
    struct stat status;
    fstat(file, &status);
    printf("size %ld mode %o links %d\n", (long)status.st_size, status.st_mode,
           (int)status.st_nlink);
    printf("ftruncate %d\n", ftruncate(file, 4));
    close(file);
    show("a");
    file = open("a", O_WRONLY | O_APPEND);
    printf("append %zd\n", write(file, "+++", 3));
    printf("position %ld\n", (long)lseek(file, 0, SEEK_CUR));
    close(file);
    show("a");
    printf("truncate %d\n", truncate("a", 2));
    show("a");
    static char large[300000], back[300000];
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (char)(i * 7 + i / 251);
    file = open("large", O_CREAT | O_EXCL | O_RDWR, 0600);
    printf("large %zd\n", write(file, large, sizeof large));
    printf("back %zd", pread(file, back, sizeof back, 0));
    printf(" same %d\n", memcmp(large, back, sizeof large) == 0);
    int copy = open("copy", O_CREAT | O_RDWR, 0600);
    off_t from = 1000;
    ssize_t sent = 0, one;
    while (sent < 200000 && (one = sendfile(copy, file, &from, 200000 - sent)) > 0)
        sent += one;
    printf("sendfile %zd", sent);
    printf(" same %d\n",
           pread(copy, back, 200000, 0) == 200000 && memcmp(large + 1000, back, 200000) == 0);
    close(copy);
    close(file);
}

static void refusals(void) {
    mkdir("dir", 0755);
    outcome("exclusive", open("a", O_CREAT | O_EXCL | O_RDWR, 0600));
    outcome("no such", open("absent", O_RDONLY));
    outcome("no folder", open("a/b", O_RDONLY));
    outcome("as a folder", open("a", O_RDONLY | O_DIRECTORY));
    outcome("folder to write", open("dir", O_WRONLY));
    outcome("unlink a folder", unlink("dir"));
    outcome("rmdir a file", rmdir("a"));
    outcome("mkdir again", mkdir("dir", 0755));
    close(new_file("dir/inner", "x"));
    outcome("rmdir not empty", rmdir("dir"));
    outcome("into itself", rename("dir", "dir/sub"));
    outcome("over a folder", rename("a", "dir"));
}

static void names(void) {
    outcome("rename over", rename("copy", "a"));
    outcome("old name", access("copy", F_OK));
    outcome("link", link("a", "dir/linked"));
    struct stat first, second;
    stat("a", &first);
    stat("dir/linked", &second);
    printf("same inode %d, links %d\n", first.st_ino == second.st_ino, (int)first.st_nlink);
    outcome("rename folder", rename("dir", "moved"));
    show("moved/inner");
    outcome("symlink", symlink("moved/inner", "pointer"));
    show("pointer");
    char target[64] = "";
    printf("readlink %zd %s\n", readlink("pointer", target, sizeof target - 1), target);
    lstat("pointer", &first);
    printf("kind %o size %ld\n", first.st_mode & S_IFMT, (long)first.st_size);
    symlink("/", "to-the-root");
    stat("to-the-root", &first);
    stat("/", &second);
    printf("the guest's root %d\n", first.st_ino == second.st_ino);
    unlink("to-the-root");
    outcome("chmod", chmod("a", 0640));
    struct timespec times[2] = {{1000, 5}, {2000, 7}};
    outcome("times", utimensat(AT_FDCWD, "a", times, 0));
    stat("a", &first);
    printf("mode %o times %ld.%ld %ld.%ld\n", first.st_mode, (long)first.st_atim.tv_sec,
           first.st_atim.tv_nsec, (long)first.st_mtim.tv_sec, first.st_mtim.tv_nsec);
    int old = new_file("read-only", "");
    fchmod(old, 0400);
    close(old);
    int made = open("made-read-only", O_CREAT | O_EXCL | O_RDWR, 0400);
    printf("write to what may only be read %zd\n", write(made, "ok", 2));
    close(made);
    show("made-read-only");
    struct statfs system;
    must(statfs(".", &system));
    printf("statfs %d\n", system.f_bsize > 0 && system.f_blocks > 0);
    outcome("sync of a folder", fsync(open(".", O_RDONLY | O_DIRECTORY)));
}

static void without_a_name(void) {
    int file = new_file("gone", "still here");
    outcome("unlink", unlink("gone"));
    struct stat status;
    must(fstat(file, &status));
    printf("links %d size %ld\n", (int)status.st_nlink, (long)status.st_size);
    char text[32] = "";
    result("read", pread(file, text, sizeof text - 1, 0));
    result("write", pwrite(file, "STILL", 5, 0));
    result("read", pread(file, text, sizeof text - 1, 0));
    printf("%s\n", text);
    close(file);
    outcome("gone", access("gone", F_OK));
}

static int count_names(const char *folder, unsigned long *sum) {
    DIR *stream = opendir(folder);
    struct dirent *entry;
    int count = 0;
    *sum = 0;
    while ((entry = readdir(stream))) {
        count++;
        for (char *byte = entry->d_name; *byte; byte++)
            *sum += (unsigned char)*byte;
        if (entry->d_name[0] == 'n' && entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN)
            printf("kind of %s is %d\n", entry->d_name, entry->d_type);
    }
    closedir(stream);
    return count;
}

static void many_names(void) {
    char name[64];
    mkdir("many", 0755);
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "many/name-number-%d", i);
        close(new_file(name, ""));
    }
    unsigned long sum;
    int count = count_names("many", &sum);
    printf("names %d sum %lu\n", count, sum);
    // As rm -r does: what was told already is gone while the next is told.
    DIR *stream = opendir("many");
    struct dirent *entry;
    int removed = 0;
    while ((entry = readdir(stream)))
        if (entry->d_name[0] != '.' && unlinkat(dirfd(stream), entry->d_name, 0) == 0)
            removed++;
    rewinddir(stream);
    count = 0;
    while (readdir(stream))
        count++;
    closedir(stream);
    printf("removed %d left %d rmdir %d\n", removed, count, rmdir("many"));
}

static void mappings(void) {
    int file = new_file("mapped", "0123456789");
    ftruncate(file, 20000);
    pwrite(file, "tail", 4, 16384);
    char *private = mmap(NULL, 20000, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    char *shared = mmap(NULL, 20000, PROT_READ, MAP_SHARED, file, 0);
    printf("%.10s %.4s %d\n", private, shared + 16384, shared[8192]);
    pwrite(file, "abc", 3, 0);
    private[5] = 'X';
    printf("%.10s %.10s\n", private + 3, shared);
    show("mapped");
    // What is read into a page that has to be read itself.
    char *fresh = mmap(NULL, 20000, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    printf("read into a mapping %zd", pread(file, fresh + 4090, 10, 0));
    printf(" %.6s\n", fresh + 4090);
    printf("write from a mapping %zd\n", pwrite(file, shared + 16384, 4, 12));
    printf("%.4s\n", shared + 12);
    ftruncate(file, 4096);
    printf("cut %.3s\n", shared);
    munmap(private, 20000);
    munmap(shared, 20000);
    munmap(fresh, 20000);
    close(file);
}

static void processes(void) {
    int file = new_file("of-two", "");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        write(file, "child ", 6);
        _exit(flock(file, LOCK_EX | LOCK_NB));
    }
    int status;
    waitpid(child, &status, 0);
    write(file, "parent", 6);
    printf("child %d\n", status);
    close(file);
    show("of-two");
}

int main(void) {
    umask(022);
    mkdir("work", 0755);
    chdir("work");
    contents();
    refusals();
    names();
    without_a_name();
    many_names();
    mappings();
    processes();
    unsigned long sum;
    int count = count_names(".", &sum);
    printf("left %d %lu\n", count, sum);
    return 0;
}
