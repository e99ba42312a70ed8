#include "facts.h"
#include <poll.h>
#include <sys/signalfd.h>

int main(void) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    int descriptor = signalfd(-1, &mask, SFD_NONBLOCK);
    outcome("signalfd", descriptor);
    struct signalfd_siginfo info;
    result("nothing yet", read(descriptor, &info, sizeof info));
    raise(SIGUSR1);
    struct pollfd entry = {descriptor, POLLIN, 0};
    fact("poll", poll(&entry, 1, 1000));
    fact("read", read(descriptor, &info, sizeof info) == sizeof info);
    fact("number", info.ssi_signo);
    result("small buffer", read(descriptor, &info, 10));
}
