#include "facts.h"
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

int main(void) {
    clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
        CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME};
    for (int each = 0; each < 8; each++) {
        struct timespec last = {0, 0}, now, grain;
        int back = 0, bad = 0;
        printf("clock %d\n", clocks[each]);
        outcome("get", clock_gettime(clocks[each], &now));
        for (int round = 0; round < 20000; round++) {
            clock_gettime(clocks[each], &now);
            if (now.tv_sec < last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec < last.tv_nsec)) back++;
            if (now.tv_nsec < 0 || now.tv_nsec >= 1000000000) bad++;
            last = now;
        }
        tell("backwards, bad", "%d %d", back, bad);
        outcome("resolution", clock_getres(clocks[each], &grain));
        fact("below a second", grain.tv_sec == 0 && grain.tv_nsec > 0);
    }
    outcome("unknown clock", clock_gettime(77, &(struct timespec){0}));
    outcome("unknown resolution", clock_getres(77, NULL));
    outcome("raw call, bad pointer", syscall(SYS_clock_gettime, CLOCK_REALTIME, 8));
    struct timeval day;
    struct timespec real;
    gettimeofday(&day, NULL);
    clock_gettime(CLOCK_REALTIME, &real);
    fact("gettimeofday agrees", real.tv_sec - day.tv_sec <= 1);
    fact("time agrees", real.tv_sec - time(NULL) <= 1);
    struct timespec raw;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &raw);
    clock_gettime(CLOCK_MONOTONIC, &real);
    fact("the call and the page agree", real.tv_sec - raw.tv_sec <= 1 && real.tv_sec >= raw.tv_sec);
    struct rusage before, after;
    struct tms ticks;
    getrusage(RUSAGE_SELF, &before);
    volatile unsigned long work = 0;
    long long start = now_ns();
    while (now_ns() - start < 60000000) work++;
    getrusage(RUSAGE_SELF, &after);
    fact("user time grows",
        after.ru_utime.tv_sec * 1000000 + after.ru_utime.tv_usec + after.ru_stime.tv_sec * 1000000 + after.ru_stime.tv_usec
            > before.ru_utime.tv_sec * 1000000 + before.ru_utime.tv_usec);
    fact("times", times(&ticks) != -1);
    fact("ticks a second", sysconf(_SC_CLK_TCK));
    fact("resident grew from nothing", after.ru_maxrss > 0);
    outcome("rusage of a thread", getrusage(RUSAGE_THREAD, &after));
    outcome("rusage of children", getrusage(RUSAGE_CHILDREN, &after));
    outcome("rusage of nobody", getrusage(77, &after));
}
