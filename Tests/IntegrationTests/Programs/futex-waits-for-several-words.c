#include "facts.h"
#include <sys/wait.h>

#define SIZE_U32 2
#define PRIVATE 128
struct wait_one {
    uint64_t value, address;
    uint32_t flags, reserved;
};

static uint32_t words[130];
static struct wait_one list[130];

static long wait_for(int count, unsigned flags, const struct timespec *end, int clock) {
    return syscall(449, list, count, flags, end, clock);
}
static long wake(uint32_t *word, int count, int is_private) {
    return syscall(SYS_futex, word, 1 | (is_private ? 128 : 0), count, NULL, NULL, 0);
}
static void prepare(int count, unsigned flags) {
    for (int each = 0; each < count; each++) {
        words[each] = each;
        list[each] = (struct wait_one){each, (uintptr_t)&words[each], flags, 0};
    }
}
static struct timespec after(int clock, long milliseconds) {
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_nsec += milliseconds % 1000 * 1000000;
    time.tv_sec += milliseconds / 1000 + time.tv_nsec / 1000000000;
    time.tv_nsec %= 1000000000;
    return time;
}

// Wakes until somebody waits there.
static void *wake_third(void *word) {
    while (wake(word, 1, 1) == 0) sched_yield();
    return NULL;
}
static void *wake_shared(void *word) {
    while (wake(word, 1, 0) == 0) sched_yield();
    return NULL;
}
static void *wake_many(void *unused) {
    (void)unused;
    // The first wake ends the wait, so the later ones find nobody or the same thread again.
    while (wake(&words[127], 1, 1) == 0) sched_yield();
    return NULL;
}
static int handled;
static void handle(int number, siginfo_t *information, void *context) {
    (void)number, (void)information, (void)context;
    handled++;
}

static void refuse(void) {
    struct timespec end = after(CLOCK_MONOTONIC, 10), bad = {0, 1000000000}, negative = {-1, 0};
    prepare(2, SIZE_U32 | PRIVATE);
    result("flags", wait_for(2, 1, NULL, 0));
    result("none", wait_for(0, 0, NULL, 0));
    result("129", wait_for(129, 0, NULL, 0));
    result("no list", syscall(449, NULL, 2, 0, NULL, 0));
    result("list elsewhere", syscall(449, 8, 2, 0, NULL, 0));
    result("clock", wait_for(2, 0, &end, CLOCK_BOOTTIME));
    result("bad time", wait_for(2, 0, &bad, CLOCK_MONOTONIC));
    result("negative time", wait_for(2, 0, &negative, CLOCK_MONOTONIC));
    result("time elsewhere", syscall(449, 8, 2, 0, 8, CLOCK_MONOTONIC));
    result("time before list", syscall(449, 8, 2, 0, &end, 77));
    list[1].flags = PRIVATE;
    result("size of a byte", wait_for(2, 0, NULL, 0));
    list[1].flags = 3 | PRIVATE;
    result("size of 64 bits", wait_for(2, 0, NULL, 0));
    list[1].flags = SIZE_U32 | 16;
    result("unknown flag", wait_for(2, 0, NULL, 0));
    list[1].flags = SIZE_U32 | PRIVATE;
    list[1].reserved = 1;
    result("reserved", wait_for(2, 0, NULL, 0));
    list[1].reserved = 0;
    list[1].value = 1ULL << 32 | 1;
    result("wide value", wait_for(2, 0, NULL, 0));
    list[1].value = 1;
    list[1].address += 2;
    result("not aligned", wait_for(2, 0, NULL, 0));
    list[1].address = 16;
    result("word elsewhere", wait_for(2, 0, NULL, 0));
    list[1].address = (uintptr_t)&words[1];
    list[0].value = 9;
    result("first differs", wait_for(2, 0, NULL, 0));
    list[0].value = 0, list[1].value = 9;
    result("last differs", wait_for(2, 0, NULL, 0));
    result("nobody is left waiting", wake(&words[0], 10, 1));
}

int main(void) {
    refuse();
    prepare(128, SIZE_U32 | PRIVATE);
    struct timespec end = after(CLOCK_MONOTONIC, 20);
    result("until a time", wait_for(128, 0, &end, CLOCK_MONOTONIC));
    end = after(CLOCK_REALTIME, 20);
    result("until a time of day", wait_for(128, 0, &end, CLOCK_REALTIME));
    end = (struct timespec){0, 0};
    result("time is over", wait_for(128, 0, &end, CLOCK_MONOTONIC));
    pthread_t thread;
    pthread_create(&thread, NULL, wake_third, &words[2]);
    result("third", wait_for(4, 0, NULL, 0));
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, wake_many, NULL);
    result("last of 128", wait_for(128, 0, NULL, 0));
    pthread_join(thread, NULL);
    prepare(3, SIZE_U32);
    pthread_create(&thread, NULL, wake_shared, &words[1]);
    result("shared flags", wait_for(3, 0, NULL, 0));
    pthread_join(thread, NULL);

    // Another process wakes a word of shared memory.
    uint32_t *shared = map(4096, PROT_READ | PROT_WRITE, MAP_SHARED);
    list[2].address = (uintptr_t)shared, list[2].value = 0;
    pid_t child = fork();
    if (child == 0) {
        wake_shared(shared);
        _exit(0);
    }
    result("another process", wait_for(3, 0, NULL, 0));
    waitpid(child, NULL, 0);

    prepare(2, SIZE_U32 | PRIVATE);
    install(SIGALRM, handle, 0);
    struct sigaction action;
    timer_t timer;
    timer_create(CLOCK_MONOTONIC, NULL, &timer);
    struct itimerspec soon = {{0, 0}, {0, 20000000}};
    timer_settime(timer, 0, &soon, NULL);
    result("signal", wait_for(2, 0, NULL, 0)), fact("handled", handled);
    sigaction(SIGALRM, NULL, &action);
    action.sa_flags |= SA_RESTART;
    sigaction(SIGALRM, &action, NULL);
    timer_settime(timer, 0, &soon, NULL);
    end = after(CLOCK_MONOTONIC, 60);
    result("restarted", wait_for(2, 0, &end, CLOCK_MONOTONIC)), fact("handled", handled);
    return 0;
}
