#include "facts.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define SET_OWNER_RECORD 15
#define GET_OWNER_RECORD 16

struct owner {
    int kind, id;
};

static void flags(const char *name, int file) {
    tell(name, "%#o, at %ld", fcntl(file, F_GETFL), (long)lseek(file, 0, SEEK_CUR));
}

int main(void) {
    int pair[2];
    sigset_t set;
    sigemptyset(&set);
    must(pipe(pair));
    must(mkfifo("fifo", 0600));
    flags("file", make_file("file", "content"));
    flags("path alone", must(open("file", O_PATH)));
    flags("pipe", pair[0]);
    flags("pipe with a name", must(open("fifo", O_RDWR)));
    flags("eventfd", must(eventfd(0, EFD_NONBLOCK)));
    flags("timerfd", must(timerfd_create(CLOCK_MONOTONIC, 0)));
    flags("signalfd", must(signalfd(-1, &set, 0)));
    flags("epoll", must(epoll_create1(0)));

    int file = must(open("file", O_RDWR));
    result("flags that do not change", fcntl(file, F_SETFL, O_CREAT | O_TRUNC | O_EXCL | 1 << 30));
    fact("are kept", fcntl(file, F_GETFL));
    result("a file sends no SIGIO", fcntl(file, F_SETFL, O_ASYNC | O_APPEND));
    fact("with the other alone", fcntl(file, F_GETFL));
    result("neither", fcntl(file, F_SETFL, 0));

    struct owner owner = {9, 9};
    result("owner at first", syscall(SYS_fcntl, file, F_GETOWN, 0));
    result("its record", fcntl(file, GET_OWNER_RECORD, &owner));
    fact("nobody", owner.id);
    result("this process", fcntl(file, F_SETOWN, getpid()));
    result("its record", fcntl(file, GET_OWNER_RECORD, &owner));
    tell("a process", "%d, this one: %d", owner.kind, owner.id == getpid());
    owner.kind = 2;
    owner.id = getpgrp();
    result("its group", fcntl(file, SET_OWNER_RECORD, &owner));
    result("its record", fcntl(file, GET_OWNER_RECORD, &owner));
    tell("a group", "%d, this one: %d", owner.kind, owner.id == getpgrp());
    owner.kind = 7;
    result("an unknown kind", fcntl(file, SET_OWNER_RECORD, &owner));
    result("nobody's number", fcntl(file, F_SETOWN, 4000000));
    result("nobody's group", fcntl(file, F_SETOWN, -4000000));
    result("the least number", fcntl(file, F_SETOWN, INT_MIN));
    result("a bad pointer", fcntl(file, GET_OWNER_RECORD, 8));
}
