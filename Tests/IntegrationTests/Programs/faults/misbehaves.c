// Does what its argument names: nothing of it may hang, or leave unirun without words.
#include "../facts.h"
#include <sys/time.h>

static void touches(void) {
    for (;;) {
        char *piece = map(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        for (int at = 0; at < 1 << 20; at += 4096) piece[at] = 1;
    }
}

// The kernel is the first to touch the pages.
static void reads_into(void) {
    int zeros = open("/dev/zero", O_RDONLY);
    for (;;) {
        char *piece = map(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        if (read(zeros, piece, 1 << 20) < 0) puts(error_name(errno));
    }
}

static void *spins(void *unused) {
    for (volatile int turn = 0;; turn++) {}
}

static void touches_among_threads(void) {
    pthread_t thread;
    for (int count = 0; count < 4; count++) pthread_create(&thread, NULL, spins, NULL);
    touches();
}

static void calls_null(void) { ((void (*)(void))0)(); }

static void divides_by_zero(void) {
    __asm__ volatile("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx" : : "a"(1) : "rcx", "rdx");
}

static void has_no_such_instruction(void) { __asm__ volatile("ud2"); }

static int overflows(int depth) {
    volatile char room[4096];
    room[0] = depth;
    return overflows(depth + 1) + room[0];
}

static void overflows_its_stack(void) { exit(overflows(0)); }

// Calls, faults, interrupts and signals, with flags that no C program leaves set.
static volatile int alarms;

static void count_alarm(int number) { alarms++; }

static void keeps(unsigned long flag) {
    install(SIGALRM, (void (*)(int, siginfo_t *, void *))count_alarm, 0);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 10000}, {0, 10000}}, NULL);
    char *page = map(4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    unsigned long kept = flag;
    for (int turn = 0; turn < 1024 || alarms < 3; turn++) {
        long number = SYS_getppid;
        char *place = page + (turn & 1023) * 4096L;
        __asm__ volatile("pushfq; pop %%rcx; or %2, %%rcx; push %%rcx; popfq\n\t"
                         "movb $1, (%3)\n\t"
                         "syscall\n\t"
                         "mov $20000, %%ecx; 1: dec %%ecx; jnz 1b\n\t"
                         "pushfq; pop %%rcx; and %%rcx, %1\n\t"
                         "not %2; pushfq; and %2, (%%rsp); popfq; not %2"
                         : "+a"(number), "+r"(kept), "+r"(flag)
                         : "r"(place)
                         : "rcx", "r11", "memory");
    }
    puts(kept == flag ? "kept" : "lost");
}

static void keeps_the_direction_flag(void) { keeps(1 << 10); }
static void keeps_the_alignment_flag(void) { keeps(1 << 18); }

static void loads_page_tables(void) {
    __asm__ volatile("mov %0, %%cr3" : : "r"(0x12345000L));
}

static void faults_threefold(void) {
    static const struct {
        unsigned short limit;
        unsigned long base;
    } __attribute__((packed)) none = {0, 0};
    __asm__ volatile("lidt %0; ud2" : : "m"(none));
}

static void halts_for_good(void) { __asm__ volatile("cli; hlt"); }

static void spins_uninterrupted(void) { __asm__ volatile("cli; 1: jmp 1b"); }

static void caught(int number) {
    puts("SIGSEGV");
    _exit(7);
}

static void halts_and_catches(void) {
    signal(SIGSEGV, caught);
    __asm__ volatile("cli; hlt");
}

// Where the kernel finds what it knows of the processor.
static void misleads_the_kernel(void) {
    __asm__ volatile("wrgsbase %0" : : "r"(0x1000L));
    getppid();
}

static void writes_to_the_kernel(void) { *(volatile char *)0x70001000 = 1; }

// Uses much memory for a while, and sleeps without it.
static void gives_back(void) {
    enum { size = 128 << 20 };
    char *memory = map(size, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    for (int at = 0; at < size; at += 4096) memory[at] = 1;
    puts("uses");
    fflush(stdout);
    nanosleep(&(struct timespec){2, 0}, NULL);
    munmap(memory, size);
    nanosleep(&(struct timespec){60, 0}, NULL);
}

static void sleeps(void) { nanosleep(&(struct timespec){12, 0}, NULL); }

// Without a call of the kernel.
static void computes(void) {
    struct timespec begin, now = {0};
    clock_gettime(CLOCK_MONOTONIC, &begin);
    while (now.tv_sec - begin.tv_sec < 12) {
        for (volatile int turn = 0; turn < 1000000; turn++) {}
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
}

static void returns(void) {}

static const struct {
    const char *name;
    void (*body)(void);
} all[] = {
    {"touches", touches},
    {"reads-into", reads_into},
    {"touches-among-threads", touches_among_threads},
    {"calls-null", calls_null},
    {"divides-by-zero", divides_by_zero},
    {"has-no-such-instruction", has_no_such_instruction},
    {"overflows-its-stack", overflows_its_stack},
    {"keeps-the-direction-flag", keeps_the_direction_flag},
    {"keeps-the-alignment-flag", keeps_the_alignment_flag},
    {"writes-to-the-kernel", writes_to_the_kernel},
    {"misleads-the-kernel", misleads_the_kernel},
    {"loads-page-tables", loads_page_tables},
    {"faults-threefold", faults_threefold},
    {"halts-for-good", halts_for_good},
    {"halts-and-catches", halts_and_catches},
    {"spins-uninterrupted", spins_uninterrupted},
    {"gives-back", gives_back},
    {"sleeps", sleeps},
    {"computes", computes},
    {"returns", returns},
};

int main(int count, char **arguments) {
    for (size_t index = 0; index < sizeof all / sizeof *all; index++) {
        if (count < 2 || strcmp(arguments[1], all[index].name)) continue;
        puts("begins");
        all[index].body();
        puts("goes on");
        return 0;
    }
    return 99;
}
