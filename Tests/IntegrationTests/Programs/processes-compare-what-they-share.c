#include "facts.h"
#include <sys/epoll.h>
#include <sys/wait.h>

enum { FILE_KIND, VM, FILES, FS, SIGHAND, IO, SYSVSEM, EPOLL_TFD };

static const char *order(long value) {
    return value == 0 ? "same" : value == 1 || value == 2 ? "different" : value == -1 ? error_name(errno) : "?";
}
static long compare(pid_t first, pid_t second, int kind, unsigned long a, unsigned long b) {
    return syscall(SYS_kcmp, first, second, kind, a, b);
}
static void *of_thread(void *unused) {
    (void)unused;
    pid_t self = getpid(), thread = gettid();
    for (int kind = VM; kind <= SYSVSEM; kind++)
        tell("of a thread", "%d %s", kind, order(compare(self, thread, kind, 0, 0)));
    return NULL;
}

int main(void) {
    pid_t self = getpid();
    int one = must(open("/", O_RDONLY)), two = must(open("/", O_RDONLY)), copy = must(dup(one));
    tell("itself", "%s", order(compare(self, self, FILE_KIND, one, one)));
    tell("a copy", "%s", order(compare(self, self, FILE_KIND, one, copy)));
    tell("opened again", "%s", order(compare(self, self, FILE_KIND, one, two)));
    long forth = compare(self, self, FILE_KIND, one, two), back = compare(self, self, FILE_KIND, two, one);
    fact("orders", forth + back);
    tell("not open", "%s", order(compare(self, self, FILE_KIND, one, 77)));
    tell("not open either", "%s", order(compare(self, self, FILE_KIND, 77, one)));
    tell("nobody", "%s", order(compare(self, 999999, FILE_KIND, 0, 0)));
    tell("nobody first", "%s", order(compare(999999, self, 99, 0, 0)));
    tell("kind", "%s", order(compare(self, self, 8, 0, 0)));
    tell("negative kind", "%s", order(compare(self, self, -1, 0, 0)));
    for (int kind = VM; kind <= SYSVSEM; kind++)
        tell("own", "%d %s", kind, order(compare(self, self, kind, 0, 0)));
    pthread_t thread;
    pthread_create(&thread, NULL, of_thread, NULL);
    pthread_join(thread, NULL);

    int end[2];
    must(pipe(end));
    pid_t child = must(fork());
    if (child == 0) {
        char byte;
        close(end[1]);
        must(read(end[0], &byte, 0));
        read(end[0], &byte, 1);
        _exit(0);
    }
    tell("inherited", "%s", order(compare(self, child, FILE_KIND, one, one)));
    tell("inherited copy", "%s", order(compare(self, child, FILE_KIND, one, copy)));
    for (int kind = VM; kind <= IO; kind++)
        tell("child", "%d %s", kind, order(compare(self, child, kind, 0, 0)));
    close(end[1]);
    waitpid(child, NULL, 0);

    int epoll = must(epoll_create1(0)), other = must(epoll_create1(0));
    struct epoll_event event = {EPOLLIN, {0}};
    int pair[2];
    must(pipe(pair));
    must(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
    struct { uint32_t epoll, descriptor, place; } slot = {epoll, pair[0], 0};
    tell("watched", "%s", order(compare(self, self, EPOLL_TFD, pair[0], (uintptr_t)&slot)));
    tell("not the one", "%s", order(compare(self, self, EPOLL_TFD, pair[1], (uintptr_t)&slot)));
    slot.place = 1;
    tell("no second", "%s", order(compare(self, self, EPOLL_TFD, pair[0], (uintptr_t)&slot)));
    slot.place = 0, slot.descriptor = pair[1];
    tell("not watched", "%s", order(compare(self, self, EPOLL_TFD, pair[0], (uintptr_t)&slot)));
    slot.epoll = other;
    tell("nothing watched", "%s", order(compare(self, self, EPOLL_TFD, pair[0], (uintptr_t)&slot)));
    slot.epoll = one;
    tell("no epoll", "%s", order(compare(self, self, EPOLL_TFD, pair[0], (uintptr_t)&slot)));
    slot.epoll = 77;
    tell("not open", "%s", order(compare(self, self, EPOLL_TFD, pair[0], (uintptr_t)&slot)));
    tell("slot elsewhere", "%s", order(compare(self, self, EPOLL_TFD, pair[0], 8)));

    child = must(fork());
    if (child == 0) {
        if (setresuid(1000, 1000, 1000) == 0)
            tell("as another user", "%s", order(compare(getpid(), self, VM, 0, 0)));
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return 0;
}
