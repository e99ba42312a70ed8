#include "facts.h"
#include <sys/wait.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

static long fchmodat2(int folder, const char *path, unsigned mode, unsigned flags) {
    return syscall(SYS_fchmodat2, folder, path, mode, flags);
}

static void show(const char *path) {
    struct stat status;
    must(fstatat(AT_FDCWD, path, &status, AT_SYMLINK_NOFOLLOW));
    tell(path, "%o %u %u", status.st_mode, status.st_uid, status.st_gid);
}

static void change_owners(int folder, int file, int path) {
    result("fchownat", fchownat(folder, "file", 1000, 100, 0));
    show("folder/file");
    result("of a link", fchownat(folder, "link", 7, 8, AT_SYMLINK_NOFOLLOW));
    show("folder/link");
    show("folder/file");
    result("through a link", fchownat(folder, "link", 5, -1, 0));
    show("folder/file");
    result("of the folder", fchownat(folder, "", 9, 9, AT_EMPTY_PATH));
    show("folder");
    result("of a file by its descriptor", fchownat(file, "", -1, 4, AT_EMPTY_PATH));
    result("of a path", fchownat(path, "", -1, 6, AT_EMPTY_PATH));
    show("folder/file");
    result("of nothing without the flag", fchownat(folder, "", 1, 1, 0));
    result("of the working folder", fchownat(AT_FDCWD, "folder/file", 0, 0, 0));
    result("an unknown flag", fchownat(folder, "file", 1, 1, 0x8));
    result("no such file", fchownat(folder, "missing", 1, 1, 0));
    result("a bad name", fchownat(folder, (char *)8, 1, 1, 0));
    result("no descriptor", fchownat(99, "file", 1, 1, 0));
    result("no folder", fchownat(file, "file", 1, 1, 0));
    result("an absolute name and no descriptor", fchownat(99, "/dev/null/x", 1, 1, 0));
    chmod("folder/file", 06755);
    result("takes bits away", fchownat(folder, "file", 1, 1, 0));
    show("folder/file");
}

static void change_modes(int folder, int file, int path) {
    result("fchmodat2", fchmodat2(folder, "file", 0640, 0));
    show("folder/file");
    result("through a link", fchmodat2(folder, "link", 0600, 0));
    show("folder/file");
    result("of a link", fchmodat2(folder, "link", 0600, AT_SYMLINK_NOFOLLOW));
    result("of a file and no link", fchmodat2(folder, "file", 0644, AT_SYMLINK_NOFOLLOW));
    show("folder/file");
    result("by its descriptor", fchmodat2(file, "", 0604, AT_EMPTY_PATH));
    result("of a path", fchmodat2(path, "", 0400, AT_EMPTY_PATH));
    show("folder/file");
    result("of nothing without the flag", fchmodat2(file, "", 0600, 0));
    result("an unknown flag", fchmodat2(folder, "file", 0600, 0x8));
    result("an unknown flag and a bad name", fchmodat2(folder, (char *)8, 0600, 0x8));
    result("a bad name", fchmodat2(folder, (char *)8, 0600, 0));
    result("no such file", fchmodat2(folder, "missing", 0600, 0));
    result("no descriptor", fchmodat2(99, "file", 0600, 0));
    result("more bits than there are", fchmodat2(folder, "file", 0177777, 0));
    show("folder/file");
}

static void change_as_another(int folder) {
    chmod("folder/file", 0644);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        must(syscall(SYS_setresuid, 1, 1, 1));
        result("its owner", fchmodat2(folder, "file", 0600, 0));
        result("to another owner", fchownat(folder, "file", 2, -1, 0));
        result("to itself", fchownat(folder, "file", 1, -1, 0));
        result("to another group", fchownat(folder, "file", -1, 77, 0));
        must(syscall(SYS_setfsuid, 1) + 1);
        result("of another's folder", fchmodat2(folder, "", 0777, AT_EMPTY_PATH));
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, 0, 0);
}

static void look_at_flags_first(int folder) {
    result("fchownat", fchownat(folder, (char *)8, 0, 0, 0x8));
    result("unlinkat", unlinkat(folder, (char *)8, 0x8));
    result("linkat", linkat(folder, (char *)8, folder, (char *)8, 0x8));
    result("faccessat2", syscall(SYS_faccessat2, folder, 8, 0, 0x8));
    result("faccessat2 of no such mode", syscall(SYS_faccessat2, folder, 8, 8, 0));
}

static void synchronize(int folder, int file, int path) {
    int ends[2];
    must(pipe(ends));
    result("syncfs of a file", syncfs(file));
    result("of a folder", syncfs(folder));
    result("of a pipe", syncfs(ends[0]));
    result("of a path", syncfs(path));
    result("of nothing", syncfs(99));
}

int main(void) {
    must(mkdir("folder", 0755));
    int file = make_file("folder/file", "text");
    must(symlink("file", "folder/link"));
    int folder = must(open("folder", O_RDONLY | O_DIRECTORY));
    int path = must(open("folder/file", O_PATH));
    change_owners(folder, file, path);
    change_modes(folder, file, path);
    change_as_another(folder);
    look_at_flags_first(folder);
    synchronize(folder, file, path);
}
