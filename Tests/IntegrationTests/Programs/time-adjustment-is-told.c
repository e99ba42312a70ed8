#include "facts.h"
#include <sys/timex.h>

static void show(const char *name, long value, struct timex *t) {
    // Whether somebody keeps the clock right is not told: it differs.
    outcome(name, value);
    tell(name, "tolerance %ld precision %ld", t->tolerance, t->precision);
}

int main(void) {
    struct timex t = {0};
    struct timespec now;
    show("adjtimex", adjtimex(&t), &t);
    clock_gettime(CLOCK_REALTIME, &now);
    fact("the time", labs(now.tv_sec - t.time.tv_sec) <= 1 && t.time.tv_usec < 1000000);
    memset(&t, 0, sizeof t);
    show("clock_adjtime", syscall(SYS_clock_adjtime, CLOCK_REALTIME, &t), &t);
    t.modes = ADJ_OFFSET_SS_READ;
    show("what is left", adjtimex(&t), &t);
    t.modes = 0x8000;
    result("single", adjtimex(&t));
    t.modes = 0;
    result("monotonic", syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &t));
    result("process", syscall(SYS_clock_adjtime, CLOCK_PROCESS_CPUTIME_ID, &t));
    result("no clock", syscall(SYS_clock_adjtime, 77, &t));
    result("elsewhere", syscall(SYS_adjtimex, 16));
    result("no clock elsewhere", syscall(SYS_clock_adjtime, 77, 16));
    return 0;
}
