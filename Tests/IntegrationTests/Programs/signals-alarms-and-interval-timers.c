#include "facts.h"
#include <sys/time.h>

static volatile int count;
static void note(int number, siginfo_t *info, void *context) { count++; }

int main(void) {
    install(SIGALRM, note, 0);
    install(SIGVTALRM, note, 0);
    install(SIGPROF, note, 0);
    fact("no alarm before", alarm(100));
    fact("seconds left", alarm(0) >= 99);
    struct itimerval pace = {{0, 5000}, {0, 5000}}, old, off = {{0, 0}, {0, 0}};
    must(setitimer(ITIMER_REAL, &pace, NULL));
    while (count < 5) pause();
    must(setitimer(ITIMER_REAL, &off, &old));
    fact("interval", old.it_interval.tv_usec);
    printf("five alarms\n");
    count = 0;
    must(setitimer(ITIMER_VIRTUAL, &pace, NULL));
    while (count < 3) continue;
    must(setitimer(ITIMER_VIRTUAL, &off, NULL));
    printf("three of processor time\n");
    count = 0;
    must(setitimer(ITIMER_PROF, &pace, NULL));
    while (count < 3) continue;
    must(setitimer(ITIMER_PROF, &off, NULL));
    printf("three of profiling time\n");
    must(getitimer(ITIMER_REAL, &old));
    fact("off", old.it_value.tv_sec + old.it_value.tv_usec);
    outcome("unknown timer", setitimer(9, &pace, NULL));
    pace.it_value.tv_usec = 2000000;
    outcome("too many microseconds", setitimer(ITIMER_REAL, &pace, NULL));
    signal(SIGALRM, SIG_DFL);
    alarm(1);
    for (;;) pause();
}
