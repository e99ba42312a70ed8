// What the programs of this folder share: they print facts, one a line, that are the same in
// every run. No addresses, times or process numbers.
#ifndef FACTS_H
#define FACTS_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Lines leave at once, so that what was said before a deadly signal is not lost.
__attribute__((constructor)) static void write_line_by_line(void) {
    setvbuf(stdout, NULL, _IOLBF, 4096);
}

static const char *error_name(int error) {
    static char number[16];
    switch (error) {
    case 0: return "0";
#define NAME(error) \
    case error: return #error;
        NAME(EPERM) NAME(ENOENT) NAME(ESRCH) NAME(EINTR) NAME(EIO) NAME(ENXIO) NAME(E2BIG)
        NAME(ENOEXEC) NAME(EBADF) NAME(ECHILD) NAME(EAGAIN) NAME(ENOMEM) NAME(EACCES)
        NAME(EFAULT) NAME(EBUSY) NAME(EEXIST) NAME(EXDEV) NAME(ENODEV) NAME(ENOTDIR)
        NAME(EISDIR) NAME(EINVAL) NAME(ENFILE) NAME(EMFILE) NAME(ENOTTY) NAME(ETXTBSY)
        NAME(EFBIG) NAME(ENOSPC) NAME(ESPIPE) NAME(EROFS) NAME(EMLINK) NAME(EPIPE) NAME(EDOM)
        NAME(ERANGE) NAME(EDEADLK) NAME(ENAMETOOLONG) NAME(ENOLCK) NAME(ENOSYS)
        NAME(ENOTEMPTY) NAME(ELOOP) NAME(EOVERFLOW) NAME(EOPNOTSUPP) NAME(ETIMEDOUT)
        NAME(ENOTSOCK) NAME(EDESTADDRREQ) NAME(EMSGSIZE) NAME(EPROTOTYPE) NAME(ENOPROTOOPT)
        NAME(EPROTONOSUPPORT) NAME(ESOCKTNOSUPPORT) NAME(EAFNOSUPPORT) NAME(EADDRINUSE)
        NAME(ECONNABORTED) NAME(ECONNRESET) NAME(ENOBUFS) NAME(EISCONN) NAME(ENOTCONN)
        NAME(ETOOMANYREFS) NAME(ECONNREFUSED)
        NAME(ECANCELED) NAME(EOWNERDEAD) NAME(ENOTRECOVERABLE) NAME(ENODATA)
#undef NAME
    }
    snprintf(number, sizeof number, "E%d", error);
    return number;
}

// Prints a number.
static inline void fact(const char *name, long long value) { printf("%s: %lld\n", name, value); }

// Prints formatted text after a name.
__attribute__((format(printf, 2, 3))) static inline void tell(
    const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("%s: ", name);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

// Prints what a call returned, with the error's name where it failed.
static inline void result(const char *name, long value) {
    int error = errno;
    if (value == -1) {
        printf("%s: -1 %s\n", name, error_name(error));
    } else {
        printf("%s: %ld\n", name, value);
    }
    errno = 0;
}

// Prints only whether a call succeeded, for values that differ from run to run.
static inline void outcome(const char *name, long value) {
    int error = errno;
    printf("%s: %s\n", name, value == -1 ? error_name(error) : "ok");
    errno = 0;
}

// Stops the program where a step that everything else rests on fails.
#define must(expression)                                                              \
    ({                                                                                \
        long must_value = (long)(expression);                                         \
        if (must_value == -1) {                                                       \
            printf("line %d: %s: %s\n", __LINE__, #expression, error_name(errno));    \
            exit(99);                                                                 \
        }                                                                             \
        must_value;                                                                   \
    })

#define check(condition)                                               \
    do {                                                               \
        if (!(condition)) {                                            \
            printf("line %d: not so: %s\n", __LINE__, #condition);     \
        }                                                              \
    } while (0)

static inline void *map(size_t length, int protection, int flags) {
    void *base = mmap(NULL, length, protection, flags | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) {
        printf("mmap of %zu: %s\n", length, error_name(errno));
        exit(99);
    }
    return base;
}

// Makes a file that holds `text`, and returns a descriptor open for reading and writing.
static inline int make_file(const char *path, const char *text) {
    int file = must(open(path, O_RDWR | O_CREAT | O_TRUNC, 0644));
    must(write(file, text, strlen(text)));
    must(lseek(file, 0, SEEK_SET));
    return file;
}

static inline void sleep_ms(long milliseconds) {
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static inline long long now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline void install(int number, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {0};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | flags;
    sigaction(number, &action, NULL);
}

// What a body changes of its process ends with it.
static inline void in_child(const char *name, void (*body)(void)) {
    printf("-- %s\n", name);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        body();
        fflush(stdout);
        _exit(0);
    }
    waitpid(child, 0, 0);
}

#endif
