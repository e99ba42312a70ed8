#include "facts.h"
#include <sys/syscall.h>
#include <sys/wait.h>

// Written out, for not all headers have them.
enum { CLOEXEC = 1, ALLOW_SEALING = 2, NOEXEC_SEAL = 8, EXEC = 16 };
enum { ADD_SEALS = 1033, GET_SEALS = 1034 };
enum { SEAL = 1, SHRINK = 2, GROW = 4, WRITE = 8, FUTURE_WRITE = 16, EXEC_SEAL = 32 };

static long make(const char *name, unsigned flags) { return syscall(SYS_memfd_create, name, flags); }

static int sealed(int seals) {
    int file = must(make("sealed", ALLOW_SEALING));
    must(write(file, "0123456789", 10));
    must(ftruncate(file, 8192));
    must(fcntl(file, ADD_SEALS, seals));
    return file;
}

static void show(const char *name, unsigned flags) {
    struct stat status;
    int file = make("shown", flags);
    if (file < 0) return result(name, file);
    fstat(file, &status);
    tell(name, "mode %o, seals %d, closes %d", status.st_mode, fcntl(file, GET_SEALS), fcntl(file, F_GETFD));
    close(file);
}

static void make_files(void) {
    show("plain", 0);
    show("closing", CLOEXEC);
    show("sealable", ALLOW_SEALING);
    show("not executable", NOEXEC_SEAL);
    show("executable", EXEC);
    show("sealable and executable", ALLOW_SEALING | EXEC);
    show("sealable and not executable", ALLOW_SEALING | NOEXEC_SEAL);
    show("both", EXEC | NOEXEC_SEAL);
    show("unknown flag", 0x20);
    result("bad name and unknown flag", make((char *)8, 0x20));
    result("bad name and both", make((char *)8, EXEC | NOEXEC_SEAL));
    result("bad name", make((char *)8, 0));
}

static void refuse(void) {
    int ends[2];
    must(pipe(ends));
    result("seals of a pipe", fcntl(ends[0], GET_SEALS));
    result("add to the reading end", fcntl(ends[0], ADD_SEALS, SEAL));
    result("add to a pipe", fcntl(ends[1], ADD_SEALS, SEAL));
    result("unknown seal on a pipe", fcntl(ends[1], ADD_SEALS, 64));
    int null = open("/dev/null", O_RDWR);
    result("seals of a device", fcntl(null, GET_SEALS));
    result("add to a device", fcntl(null, ADD_SEALS, SEAL));
    int path = open("/dev/null", O_PATH);
    result("seals of a path", fcntl(path, GET_SEALS));
    result("add to a path", fcntl(path, ADD_SEALS, SEAL));
    result("seals of nothing", fcntl(99, GET_SEALS));
    int file = make("not sealable", 0);
    result("add to what is not sealable", fcntl(file, ADD_SEALS, GROW));
    result("unknown seal", fcntl(file, ADD_SEALS, 64));
    result("no seal", fcntl(file, ADD_SEALS, 0));
    file = make("sealable", ALLOW_SEALING);
    result("nothing added", fcntl(file, ADD_SEALS, 0));
    result("unknown beside known", fcntl(file, ADD_SEALS, 64 | GROW));
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    int reading = must(open(name, O_RDONLY));
    result("add by a descriptor for reading", fcntl(reading, ADD_SEALS, GROW));
    result("add one", fcntl(file, ADD_SEALS, GROW));
    result("add it again", fcntl(file, ADD_SEALS, GROW));
    result("add the last", fcntl(file, ADD_SEALS, SEAL));
    result("add after the last", fcntl(file, ADD_SEALS, SHRINK));
    result("all of them", fcntl(reading, GET_SEALS));
}

static void change_sizes(void) {
    int file = sealed(GROW);
    result("grow: write within", pwrite(file, "abc", 3, 8189));
    result("grow: write beyond", pwrite(file, "abc", 3, 8192));
    result("grow: truncate to more", ftruncate(file, 8193));
    result("grow: truncate to the same", ftruncate(file, 8192));
    result("grow: allocate beyond", fallocate(file, 0, 8000, 193));
    result("grow: allocate beyond and keep", fallocate(file, FALLOC_FL_KEEP_SIZE, 8000, 193));
    result("grow: allocate within", fallocate(file, 0, 0, 8192));
    result("grow: truncate to less", ftruncate(file, 10));
    result("grow: append", (lseek(file, 0, SEEK_END), write(file, "x", 1)));
    result("grow: append nothing", write(file, "x", 0));
    close(file);
    file = sealed(SHRINK);
    result("shrink: truncate to less", ftruncate(file, 8191));
    result("shrink: truncate to the same", ftruncate(file, 8192));
    result("shrink: punch a hole", fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
    result("shrink: write beyond", pwrite(file, "abc", 3, 8192));
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    result("shrink: open and truncate", open(name, O_RDWR | O_TRUNC));
    result("shrink: size", lseek(file, 0, SEEK_END));
    close(file);
}

static void refuse_writing(const char *what, int seal) {
    int file = sealed(seal);
    printf("%s\n", what);
    result("write", pwrite(file, "abc", 3, 0));
    result("write nothing", pwrite(file, "abc", 0, 0));
    result("write beyond", pwrite(file, "abc", 3, 9000));
    result("punch a hole", fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
    result("allocate", fallocate(file, 0, 0, 4096));
    result("truncate", ftruncate(file, 4096));
    outcome("shared and writable", (long)mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    char *shared = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
    outcome("shared for reading", (long)shared);
    if (shared != MAP_FAILED) {
        outcome("made writable", mprotect(shared, 4096, PROT_READ | PROT_WRITE));
        outcome("made unreadable", mprotect(shared, 4096, PROT_NONE));
        outcome("made writable from that", mprotect(shared, 4096, PROT_WRITE));
        result("removed by madvise", madvise(shared, 4096, MADV_REMOVE));
        char *moved = mremap(shared, 4096, 8192, MREMAP_MAYMOVE);
        outcome("moved", (long)moved);
        outcome("moved and made writable", mprotect(moved, 8192, PROT_READ | PROT_WRITE));
    }
    char *private = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    outcome("private and writable", (long)private);
    private[0] = 'p';
    char text[3] = "";
    pread(file, text, 2, 0);
    tell("the file keeps", "%s", text);
    close(file);
}

static void seal_while_mapped(void) {
    int file = make("mapped", ALLOW_SEALING);
    ftruncate(file, 8192);
    char *one = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    result("write while shared", fcntl(file, ADD_SEALS, WRITE));
    result("write and grow while shared", fcntl(file, ADD_SEALS, WRITE | GROW));
    result("nothing was added", fcntl(file, GET_SEALS));
    mprotect(one, 8192, PROT_READ);
    result("write while shared for reading", fcntl(file, ADD_SEALS, WRITE));
    munmap(one, 4096);
    result("write while half is shared", fcntl(file, ADD_SEALS, WRITE));
    result("future writes while shared", fcntl(file, ADD_SEALS, FUTURE_WRITE));
    outcome("the old mapping made writable", mprotect(one + 4096, 4096, PROT_READ | PROT_WRITE));
    one[4096] = 'o';
    char text[2] = "";
    pread(file, text, 1, 4096);
    tell("it writes", "%s", text);
    pid_t child = fork();
    if (child == 0) {
        sleep(100);
        _exit(0);
    }
    munmap(one + 4096, 4096);
    result("write while a child has it", fcntl(file, ADD_SEALS, WRITE));
    kill(child, SIGKILL);
    waitpid(child, 0, 0);
    result("write when nobody has it", fcntl(file, ADD_SEALS, WRITE));
    file = make("private", ALLOW_SEALING);
    ftruncate(file, 4096);
    one = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    char name[64];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    int reading = must(open(name, O_RDONLY));
    mmap(0, 4096, PROT_READ, MAP_SHARED, reading, 0);
    result("write while private, and shared by a reader", fcntl(file, ADD_SEALS, WRITE));
}

static void seal_execution(void) {
    int file = make("executable", ALLOW_SEALING);
    char *mapped = mmap(0, 4096, PROT_READ, MAP_SHARED, file, 0);
    result("add while shared", fcntl(file, ADD_SEALS, EXEC_SEAL));
    munmap(mapped, 4096);
    result("add", fcntl(file, ADD_SEALS, EXEC_SEAL));
    result("implied", fcntl(file, GET_SEALS));
    result("take execution away", fchmod(file, 0666));
    result("change other bits", fchmod(file, 0755));
    result("change no bits", fchmod(file, 0755));
    result("set the user", fchmod(file, 04755));
    file = make("not executable", NOEXEC_SEAL);
    result("only that", fcntl(file, GET_SEALS));
    result("give execution", fchmod(file, 0700));
    result("change reading", fchmod(file, 0600));
    result("write", write(file, "#!", 2));
    result("add more", fcntl(file, ADD_SEALS, GROW | SEAL));
    char *arguments[] = {"x", 0};
    result("execute", syscall(SYS_execveat, file, "", arguments, arguments + 1, AT_EMPTY_PATH));
    file = make("late", ALLOW_SEALING);
    fchmod(file, 0600);
    result("add without execution", fcntl(file, ADD_SEALS, EXEC_SEAL));
    result("nothing implied", fcntl(file, GET_SEALS));
}

int main(void) {
    make_files();
    refuse();
    change_sizes();
    refuse_writing("-- write", WRITE);
    refuse_writing("-- future write", FUTURE_WRITE);
    seal_while_mapped();
    seal_execution();
}
