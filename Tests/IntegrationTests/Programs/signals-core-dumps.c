// args: word
#include "facts.h"
#include <dirent.h>
#include <elf.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

// Cores of children, in the working directory.

static char marked[] = "found in the core";
static char *anonymous, *shared, *unwanted, *file_private, *file_shared, *hidden;
static int pipe_ends[2];

static void limit(rlim_t soft) {
    struct rlimit value;
    getrlimit(RLIMIT_CORE, &value);
    value.rlim_cur = soft < value.rlim_max ? soft : value.rlim_max;
    must(setrlimit(RLIMIT_CORE, &value));
}

static void set_filter(const char *text) {
    int file = must(open("/proc/self/coredump_filter", O_RDWR));
    outcome("the filter is written", write(file, text, strlen(text)));
    char line[32] = "";
    must(pread(file, line, sizeof line - 1, 0));
    tell("it is", "%.8s", line);
    close(file);
}

static int end_by(int signal, void (*prepare)(void)) {
    pid_t child = fork();
    if (child == 0) {
        if (prepare) prepare();
        raise(signal);
        _exit(0);
    }
    int status;
    must(waitpid(child, &status, 0));
    return status;
}

static void show(const char *name, int status) {
    struct stat file;
    int is_there = lstat("core", &file) == 0;
    tell(name, "signal %d, %s core, %s", WTERMSIG(status), WCOREDUMP(status) ? "a" : "no",
        !is_there ? "no file" : S_ISREG(file.st_mode) ? "a file" : "something else");
    if (is_there && S_ISREG(file.st_mode) && WCOREDUMP(status))
        tell("the file", "mode %o, %d links, owner %d, %s", file.st_mode, (int)file.st_nlink, file.st_uid,
            file.st_size > 4096 ? "large" : "small");
}

// MARK: what is in a core

static char *core;
static long core_size;

static void read_core(void) {
    int file = must(open("core", O_RDONLY));
    core_size = must(lseek(file, 0, SEEK_END));
    core = mmap(0, core_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
}

// What the core holds of an address: "no segment", "left out", or its text.
static const char *text_at(const void *address) {
    Elf64_Ehdr *header = (Elf64_Ehdr *)core;
    Elf64_Phdr *segment = (Elf64_Phdr *)(core + header->e_phoff);
    for (int each = 0; each < header->e_phnum; each++, segment++) {
        unsigned long offset = (unsigned long)address - segment->p_vaddr;
        if (segment->p_type != PT_LOAD || offset >= segment->p_memsz) continue;
        if (offset >= segment->p_filesz) return "left out";
        if (segment->p_offset + offset >= core_size) return "cut off";
        return core[segment->p_offset + offset] ? core + segment->p_offset + offset : "zero";
    }
    return "no segment";
}

static void show_memory(void) {
    tell("data", "%s", text_at(marked));
    tell("anonymous", "%s", text_at(anonymous));
    tell("untouched", "%s", text_at(anonymous + 8192));
    tell("shared", "%s", text_at(shared));
    tell("unwanted", "%s", text_at(unwanted));
    tell("private of a file", "%s", text_at(file_private));
    tell("shared of a file", "%s", text_at(file_shared));
    tell("hidden", "%s", text_at(hidden));
    munmap(core, core_size);
}

// Whether the core holds the program's text as the file has it.
static void compare_text(void) {
    int file = must(open("/proc/self/exe", O_RDONLY));
    char *program = mmap(0, lseek(file, 0, SEEK_END), PROT_READ, MAP_PRIVATE, file, 0);
    Elf64_Phdr *segment = (Elf64_Phdr *)(program + ((Elf64_Ehdr *)program)->e_phoff);
    for (int each = 0; each < ((Elf64_Ehdr *)program)->e_phnum; each++, segment++) {
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X)) continue;
        const char *text = text_at((void *)segment->p_vaddr);
        fact("the text is the file's", memcmp(text, program + segment->p_offset, segment->p_filesz) == 0);
    }
    close(file);
}

static void show_notes(int number) {
    Elf64_Ehdr *header = (Elf64_Ehdr *)core;
    check(memcmp(header->e_ident, "\177ELF\2\1\1", 7) == 0);
    fact("type", header->e_type);
    fact("machine", header->e_machine);
    Elf64_Phdr *segment = (Elf64_Phdr *)(core + header->e_phoff);
    fact("first segment", segment->p_type);
    char *note = core + segment->p_offset, *end = note + segment->p_filesz;
    int threads = 0, blocked = 0, registers = 0, vectors = 0;
    while (note < end) {
        Elf64_Nhdr *head = (Elf64_Nhdr *)note;
        char *contents = note + sizeof *head + (head->n_namesz + 3 & ~3);
        switch (head->n_type) {
        case NT_PRSTATUS:
            threads++;
            if (threads == 1) fact("size of a status", head->n_descsz);
            check(*(int *)contents == number && *(short *)(contents + 12) == number);
            blocked += *(unsigned long *)(contents + 24) != 0;
            break;
        case NT_PRPSINFO:
            fact("size of the information", head->n_descsz);
            tell("state", "%c", contents[1]);
            check(strncmp(contents + 40, "signals-core-dumps", 15) == 0 || contents[40]);
            check(strstr(contents + 56, "word") != 0);
            break;
        case NT_SIGINFO:
            fact("size of the signal", head->n_descsz);
            tell("signal", "%d %d", ((siginfo_t *)contents)->si_signo, ((siginfo_t *)contents)->si_code);
            break;
        case NT_AUXV:
            fact("the vector has an end", head->n_descsz % 16 == 0);
            break;
        case NT_FILE: {
            long count = *(long *)contents, found = 0;
            unsigned long *entry = (unsigned long *)contents + 2;
            char *name = (char *)(entry + 3 * count);
            for (long each = 0; each < count; each++, entry += 3, name += strlen(name) + 1) {
                if (entry[0] <= (unsigned long)file_private && (unsigned long)file_private < entry[1]) {
                    tell("a mapped file", "%s, page %lu", strrchr(name, '/'), entry[2]);
                    found++;
                }
            }
            fact("found", found);
            break;
        }
        case NT_FPREGSET:
            registers++;
            break;
        case NT_X86_XSTATE:
            vectors++;
            check(strcmp((char *)(head + 1), "LINUX") == 0);
            break;
        }
        note = contents + (head->n_descsz + 3 & ~3);
    }
    tell("threads", "%d, %d with blocked signals, %d with registers, %d with all", threads, blocked,
        registers, vectors);
}

static void *sleep_blocked(void *unused) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, 0);
    write(pipe_ends[1], "x", 1);
    pause();
    return 0;
}

static void *spin(void *unused) {
    write(pipe_ends[1], "x", 1);
    for (;;) {}
}

static void make_threads(void) {
    pthread_t thread;
    char byte;
    pipe(pipe_ends);
    for (int each = 0; each < 2; each++) pthread_create(&thread, 0, sleep_blocked, 0);
    pthread_create(&thread, 0, spin, 0);
    for (int each = 0; each < 3; each++) read(pipe_ends[0], &byte, 1);
}

static void not_dumpable(void) { prctl(PR_SET_DUMPABLE, 0); }
static void no_limit_left(void) { limit(0); }
static void limit_below_a_page(void) { limit(4095); }
static void limit_of_pages(void) { limit(12288); }
static void become_another(void) { setresuid(1000, 1000, 1000); }
static void become_another_dumpable(void) {
    setresuid(1000, 1000, 1000);
    fact("dumpable as another", prctl(PR_GET_DUMPABLE));
    prctl(PR_SET_DUMPABLE, 1);
}
static void mask_all(void) { umask(0777); }
static void leave(void) { must(chdir("folder")); }

static void prepare_memory(void) {
    anonymous = map(16384, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    strcpy(anonymous, "anonymous text");
    shared = map(4096, PROT_READ | PROT_WRITE, MAP_SHARED);
    strcpy(shared, "shared text");
    unwanted = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    strcpy(unwanted, "unwanted text");
    outcome("left out", madvise(unwanted, 4096, MADV_DONTDUMP));
    hidden = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    strcpy(hidden, "hidden text");
    mprotect(hidden, 4096, PROT_NONE);
    int file = make_file("mapped", "text of a file");
    must(ftruncate(file, 8192));
    pwrite(file, "second page", 11, 4096);
    file_private = mmap(0, 4096, PROT_READ, MAP_PRIVATE, file, 4096);
    file_shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
}

int main(int count, char **words) {
    prepare_memory();
    limit(0);
    show("without a limit", end_by(SIGABRT, 0));
    limit(RLIM_INFINITY);
    static const int signals[] = {SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGXFSZ,
        SIGSYS, SIGTERM, SIGUSR1, SIGALRM, SIGKILL, SIGPIPE};
    for (int each = 0; each < sizeof signals / sizeof *signals; each++) {
        unlink("core");
        show("by a signal", end_by(signals[each], 0));
    }
    unlink("core");
    show("not dumpable", end_by(SIGSEGV, not_dumpable));
    show("no limit left", end_by(SIGSEGV, no_limit_left));
    show("less than a page", end_by(SIGSEGV, limit_below_a_page));
    show("three pages", end_by(SIGSEGV, limit_of_pages));
    struct stat status;
    fact("cut off", stat("core", &status) == 0 && status.st_size < 65536);
    show("another user", end_by(SIGSEGV, become_another));
    unlink("core");
    chmod(".", 0777);
    show("another user who is dumpable", end_by(SIGSEGV, become_another_dumpable));
    unlink("core");
    show("without permissions", end_by(SIGSEGV, mask_all));
    unlink("core");
    must(symlink("elsewhere", "core"));
    show("over a link", end_by(SIGSEGV, 0));
    fact("what the link names", access("elsewhere", F_OK));
    must(rename("core", "kept"));
    must(link("kept", "core"));
    show("over another name", end_by(SIGSEGV, 0));
    unlink("core");
    must(mkdir("core", 0700));
    show("over a folder", end_by(SIGSEGV, 0));
    must(rmdir("core"));
    must(mkdir("folder", 0700));
    show("elsewhere", end_by(SIGSEGV, leave));
    outcome("it is there", unlink("folder/core"));

    siginfo_t news;
    pid_t child = fork();
    if (child == 0) abort();
    must(waitid(P_PID, child, &news, WEXITED));
    tell("waitid", "%d %d", news.si_code, news.si_status);

    set_filter("0x0\n");
    end_by(SIGSEGV, 0);
    read_core();
    show_memory();
    set_filter("0xffffffff");
    end_by(SIGSEGV, 0);
    read_core();
    compare_text();
    show_memory();
    set_filter("010");
    set_filter("x");
    set_filter("51");
    show("with threads", end_by(SIGFPE, make_threads));
    read_core();
    show_notes(SIGFPE);
    show_memory();
}
