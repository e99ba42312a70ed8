#include "facts.h"
#include <poll.h>
#include <sys/timerfd.h>

int main(void) {
    int timer = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    uint64_t count = 0;
    result("not armed", read(timer, &count, 8));
    struct itimerspec pace = {{0, 3000000}, {0, 3000000}}, now, off = {{0, 0}, {0, 0}};
    must(timerfd_settime(timer, 0, &pace, NULL));
    struct pollfd entry = {timer, POLLIN, 0};
    fact("poll", poll(&entry, 1, 2000));
    sleep_ms(20);
    fact("read", read(timer, &count, 8));
    fact("several", count >= 5);
    must(timerfd_gettime(timer, &now));
    fact("interval", now.it_interval.tv_nsec);
    must(timerfd_settime(timer, 0, &off, NULL));
    must(timerfd_gettime(timer, &now));
    fact("off", now.it_value.tv_nsec);
    result("small buffer", read(timer, &count, 4));
    result("write", write(timer, &count, 8));
    int blocking = must(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC));
    struct itimerspec once = {{0, 0}, {0, 10000000}};
    must(timerfd_settime(blocking, 0, &once, NULL));
    fact("blocking read", read(blocking, &count, 8));
    fact("once", count);
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    struct itimerspec absolute = {{0, 0}, moment};
    must(timerfd_settime(timer, TFD_TIMER_ABSTIME, &absolute, NULL));
    fact("past moment", poll(&entry, 1, 2000));
    result("unknown clock", timerfd_create(77, 0));
    result("unknown flags", timerfd_create(CLOCK_MONOTONIC, 1));
    result("settime of a file that is none", timerfd_settime(0, 0, &once, NULL));
    once.it_value.tv_nsec = -1;
    result("bad time", timerfd_settime(timer, 0, &once, NULL));
}
