#include "facts.h"

int main(void) {
    long early = 0;
    for (int each = 0; each < 20; each++) {
        long long start = now_ns();
        sleep_ms(each % 5);
        early += now_ns() - start < each % 5 * 1000000LL;
    }
    fact("early", early);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 20000000;
    if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
    fact("absolute", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    fact("reached", now.tv_sec > until.tv_sec || (now.tv_sec == until.tv_sec && now.tv_nsec >= until.tv_nsec));
    fact("past", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){1, 0}, NULL));
    fact("relative, real time", clock_nanosleep(CLOCK_REALTIME, 0, &(struct timespec){0, 1000000}, NULL));
    tell("unknown clock", "%s", error_name(clock_nanosleep(77, 0, &(struct timespec){0, 1}, NULL)));
    tell("cpu clock of this thread", "%s",
        error_name(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &(struct timespec){0, 1}, NULL)));
    result("bad nanoseconds", nanosleep(&(struct timespec){0, 1000000000}, NULL));
    result("negative", nanosleep(&(struct timespec){-1, 0}, NULL));
    result("bad pointer", syscall(SYS_nanosleep, 8, NULL));
    result("usleep", usleep(1000));
}
