// Stands in for the kernel image in tests of the command: does what the program's arguments say.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

enum { record_descriptor = 3, control_descriptor = 6, memory_descriptor = 7, statistics_descriptor = 9 };

struct message {
    uint32_t operation;
    int32_t descriptor;
    uint64_t argument;
    int64_t result;
    uint8_t payload[104];
};

static char record[1 << 20];
static char *arguments[64];
static int argument_count;

static void read_arguments(void)
{
    ssize_t size = read(record_descriptor, record, sizeof record);
    for (ssize_t at = 16; at + 8 <= size;) {
        uint16_t kind;
        uint32_t length;
        memcpy(&kind, record + at, sizeof kind);
        memcpy(&length, record + at + 4, sizeof length);
        if (kind == 2 && argument_count < 63)
            arguments[argument_count++] = strndup(record + at + 8, length);
        at += 8 + ((length + 7) & ~7u);
    }
}

static struct message ask(struct message message)
{
    if (write(control_descriptor, &message, sizeof message) != sizeof message)
        exit(101);
    for (size_t got = 0; got < sizeof message;) {
        ssize_t count = read(control_descriptor, (char *)&message + got, sizeof message - got);
        if (count <= 0)
            exit(102);
        got += count;
    }
    return message;
}

static void show_record(void)
{
    lseek(record_descriptor, 0, SEEK_SET);
    ssize_t size = read(record_descriptor, record, sizeof record);
    if (write(1, record, size) != size)
        exit(103);
}

static void show_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    for (int number = 0; number < 1024; number++) {
        char path[64], target[256];
        snprintf(path, sizeof path, "/proc/self/fd/%d", number);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0 || number == dirfd(directory))
            continue;
        target[length] = 0;
        printf("%d %s\n", number, target);
    }
    closedir(directory);
}

static void show_environment(char **arguments_given, char **environment)
{
    for (char **each = arguments_given; *each; each++)
        printf("argument %s\n", *each);
    for (char **each = environment; *each; each++)
        printf("variable %s\n", *each);
}

// Prints the signals that arrive until SIGTERM does, as the kernel would check them.
static int show_signals(void)
{
    // Where HostSignal.wordOffset says.
    char *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory_descriptor, 0);
    uint64_t *waiting = (uint64_t *)(memory + 40);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    printf("ready %d\n", getppid());
    fflush(stdout);
    for (;;) {
        siginfo_t information;
        int number = sigwaitinfo(&all, &information);
        if (number < 0)
            continue;
        const char *sender = information.si_code == SI_KERNEL ? "host"
                             : information.si_pid == getppid() ? "parent" : "stranger";
        if (sender[0] != 'p') {
            printf("%d %s\n", number, sender);
            fflush(stdout);
            continue;
        }
        // What is for the program waits in a word of the memory (HostSignal).
        if (number != SIGSTKFLT)
            continue;
        uint64_t posted = __atomic_exchange_n(waiting, 0, __ATOMIC_SEQ_CST);
        for (int each = 1; each <= 64; each++) {
            if (posted >> (each - 1) & 1)
                printf("%d %s\n", each, sender);
        }
        fflush(stdout);
        if (posted >> (SIGTERM - 1) & 1)
            return 0;
    }
}

static int change_terminal(int status)
{
    struct message message = {.operation = 1, .descriptor = 0, .argument = TCGETS};
    message = ask(message);
    tcflag_t local;
    memcpy(&local, message.payload + 12, sizeof local);
    local &= ~(ECHO | ICANON);
    memcpy(message.payload + 12, &local, sizeof local);
    message.argument = TCSETS;
    return ask(message).result == 0 ? status : 104;
}

int main(int count, char **given, char **environment)
{
    (void)count;
    // The bell (HostSignal): the kernel has a handler for it from its start.
    signal(SIGSTKFLT, SIG_IGN);
    read_arguments();
    const char *mode = argument_count > 1 ? arguments[1] : "record";
    long number = argument_count > 2 ? strtol(arguments[2], NULL, 0) : 0;
    if (!strcmp(mode, "record"))
        show_record();
    else if (!strcmp(mode, "descriptors"))
        show_descriptors();
    else if (!strcmp(mode, "environment"))
        show_environment(given, environment);
    else if (!strcmp(mode, "exit"))
        return (int)number;
    else if (!strcmp(mode, "die")) {
        // The test build brings a handler that prints a backtrace.
        signal((int)number, SIG_DFL);
        kill(getpid(), (int)number);
    }
    else if (!strcmp(mode, "signals"))
        return show_signals();
    else if (!strcmp(mode, "terminal"))
        return change_terminal((int)number);
    else if (!strcmp(mode, "statistics"))
        dprintf(statistics_descriptor, "call write 2 1 3000 1500 2000\nvalue heap_bytes 4096\n");
    else if (!strcmp(mode, "ask") && argument_count > 4) {
        struct message message = {.operation = (uint32_t)number};
        message.descriptor = (int32_t)strtol(arguments[3], NULL, 0);
        message.argument = strtoull(arguments[4], NULL, 0);
        if (argument_count > 5)
            message.payload[0] = (uint8_t)strtoul(arguments[5], NULL, 0);
        message = ask(message);
        int32_t words[2];
        memcpy(words, message.payload, sizeof words);
        printf("%lld %d %d\n", (long long)message.result, words[0], words[1]);
    } else {
        return 100;
    }
    return 0;
}
