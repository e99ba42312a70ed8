#include "facts.h"

static volatile int count, value;
static void note(int number, siginfo_t *info, void *context) {
    count++;
    value = info->si_code == SI_TIMER ? info->si_value.sival_int : -1;
}

int main(void) {
    install(SIGRTMIN + 4, note, 0);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 4, .sigev_value.sival_int = 77};
    must(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec pace = {{0, 4000000}, {0, 4000000}}, now;
    must(timer_settime(timer, 0, &pace, NULL));
    while (count < 5) sleep_ms(1);
    fact("value", value);
    must(timer_gettime(timer, &now));
    fact("interval", now.it_interval.tv_nsec);
    outcome("overrun", timer_getoverrun(timer));
    outcome("delete", timer_delete(timer));
    struct sigevent none = {.sigev_notify = SIGEV_NONE};
    must(timer_create(CLOCK_REALTIME, &none, &timer));
    struct itimerspec once = {{0, 0}, {0, 5000000}};
    must(timer_settime(timer, 0, &once, NULL));
    sleep_ms(20);
    must(timer_gettime(timer, &now));
    fact("ran out", now.it_value.tv_nsec + now.it_value.tv_sec);
    struct timespec absolute;
    clock_gettime(CLOCK_MONOTONIC, &absolute);
    count = 0;
    must(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec past = {{0, 0}, absolute};
    must(timer_settime(timer, TIMER_ABSTIME, &past, NULL));
    while (!count) sleep_ms(1);
    printf("a moment that is past fires at once\n");
    outcome("unknown clock", timer_create(99, &event, &timer));
}
