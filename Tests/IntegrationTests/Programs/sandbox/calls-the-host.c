// Tries to have a system call answered by the host, whatever the kernel thinks of it.
// usage: ROAD ADDRESS NUMBER ARGUMENT…; an argument that begins with / is a text, and `buffer` is
// the address of some memory of the program. The road `without-end` is `page` until the host refuses.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

typedef long (*call)(long, long, long, long, long, long, long);

static char buffer[4096];

static long argument(char *text) {
    if (text[0] == '/') return (long)text;
    if (strcmp(text, "buffer") == 0) return (long)buffer;
    return (long)strtoul(text, NULL, 0);
}

// mov %rdi,%rax; mov %rsi,%rdi; mov %rdx,%rsi; mov %rcx,%rdx; mov %r8,%r10; mov %r9,%r8;
// mov 8(%rsp),%r9; syscall; ret
static const unsigned char fresh_code[] = {
    0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0x48, 0x89, 0xca, 0x4d, 0x89, 0xc2,
    0x4d, 0x89, 0xc8, 0x4c, 0x8b, 0x4c, 0x24, 0x08, 0x0f, 0x05, 0xc3,
};

static long by_fresh_page(const long *a) {
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, fresh_code, sizeof fresh_code);
    return ((call)page)(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
}

static long by_interrupt(const long *a) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(a[0]), "b"(a[1]), "c"(a[2]), "d"(a[3])
                     : "memory");
    return result;
}

static long by_sysenter(const long *a) {
    long result;
    __asm__ volatile("sysenter"
                     : "=a"(result)
                     : "a"(a[0]), "b"(a[1]), "c"(a[2]), "d"(a[3])
                     : "memory", "rbp");
    return result;
}

// Copies copy themselves too, whatever the host says; the first process ends with its refusal.
static long without_end(call page, const long *a) {
    if (fork() == 0) _exit(0);
    wait(NULL);
    int is_copy = 0;
    for (;;) {
        long result = page(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
        if (result == 0) is_copy = 1;
        // The kernel's timer interrupts the question.
        if (result == -EINTR) continue;
        if (result < 0 && !is_copy) return result;
    }
}

int main(int argc, char **argv) {
    long a[7] = {0};
    call page = (call)strtoul(argv[2], NULL, 0);
    for (int i = 3; i < argc && i < 10; i++) a[i - 3] = argument(argv[i]);
    memset(buffer, 'x', sizeof buffer);
    puts("calls");
    fflush(stdout);
    long result;
    if (strcmp(argv[1], "page") == 0) {
        result = page(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
    } else if (strcmp(argv[1], "without-end") == 0) {
        result = without_end(page, a);
    } else if (strcmp(argv[1], "vsyscall") == 0) {
        result = ((long (*)(long, long))0xffffffffff600000)(a[1], a[2]);
    } else if (strcmp(argv[1], "fresh-page") == 0) {
        result = by_fresh_page(a);
    } else if (strcmp(argv[1], "interrupt") == 0) {
        result = by_interrupt(a);
    } else {
        result = by_sysenter(a);
    }
    printf("%ld\n", result);
    return 0;
}
