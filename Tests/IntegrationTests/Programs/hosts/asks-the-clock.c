// Asks for the time in every way, a thousand times each.
#include "../facts.h"

#include <sys/time.h>

static volatile int alarms;
static void count(int number, siginfo_t *info, void *context) { alarms++; }
static volatile int done;
static void *spin(void *argument) {
    while (!done) {}
    return argument;
}

int main(void) {
    long long last = 0;
    int backwards = 0;
    for (int round = 0; round < 1000; round++) {
        long long now = now_ns();
        if (now < last) backwards++;
        last = now;
    }
    fact("monotonic backwards", backwards);
    struct timespec seconds;
    struct timeval micro;
    clock_gettime(CLOCK_REALTIME, &seconds);
    gettimeofday(&micro, NULL);
    check(labs(micro.tv_sec - seconds.tv_sec) <= 1 && labs(time(NULL) - seconds.tv_sec) <= 1);
    result("no such clock", clock_gettime(77, &seconds));
    result("bad pointer", syscall(SYS_clock_gettime, CLOCK_REALTIME, (void *)8));
    check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &seconds) == 0);

    long long start = now_ns();
    sleep_ms(20);
    check(now_ns() - start >= 20000000);

    // The timer must find threads that are in the clock.
    install(SIGALRM, count, 0);
    struct itimerval every = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &every, NULL);
    pthread_t thread;
    pthread_create(&thread, NULL, spin, NULL);
    while (alarms < 20) (void)now_ns();
    done = 1;
    pthread_join(thread, NULL);
    fact("alarms", alarms >= 20);
    return 0;
}
