#include "facts.h"
#include <sys/epoll.h>

static int pipes[2], other[2], watch;
static struct epoll_event events[8];

static void look(const char *name) {
    int count = epoll_wait(watch, events, 8, 0);
    printf("%s: %d", name, count);
    for (int each = 0; each < count; each++) printf(" [%x %d]", events[each].events, events[each].data.fd == pipes[0] ? 0 : 1);
    printf("\n");
}

static long control(int operation, int descriptor, unsigned mask) {
    struct epoll_event event = {mask, {.fd = descriptor}};
    return epoll_ctl(watch, operation, descriptor, &event);
}

static void *write_later(void *argument) {
    sleep_ms(20);
    write(pipes[1], "x", 1);
    return NULL;
}

int main(void) {
    char buffer[16];
    must(pipe2(pipes, O_NONBLOCK)), must(pipe2(other, O_NONBLOCK));
    watch = must(epoll_create1(EPOLL_CLOEXEC));
    outcome("add", control(EPOLL_CTL_ADD, pipes[0], EPOLLIN));
    outcome("add again", control(EPOLL_CTL_ADD, pipes[0], EPOLLIN));
    outcome("modify what is not there", control(EPOLL_CTL_MOD, other[0], EPOLLIN));
    outcome("delete what is not there", control(EPOLL_CTL_DEL, other[0], 0));
    outcome("itself", control(EPOLL_CTL_ADD, watch, EPOLLIN));
    outcome("a file", control(EPOLL_CTL_ADD, make_file("file", "x"), EPOLLIN));
    outcome("not open", control(EPOLL_CTL_ADD, 500, EPOLLIN));
    look("nothing");
    write(pipes[1], "one", 3);
    look("level"), look("level again");
    control(EPOLL_CTL_MOD, pipes[0], EPOLLIN | EPOLLET);
    look("edge"), look("edge again");
    write(pipes[1], "two", 3);
    look("edge after a write");
    control(EPOLL_CTL_MOD, pipes[0], EPOLLIN | EPOLLONESHOT);
    look("once"), look("once again");
    write(pipes[1], "x", 1);
    look("still not");
    control(EPOLL_CTL_MOD, pipes[0], EPOLLIN | EPOLLONESHOT);
    look("armed again");
    control(EPOLL_CTL_MOD, pipes[0], EPOLLIN);
    control(EPOLL_CTL_ADD, other[1], EPOLLOUT);
    int count = epoll_wait(watch, events, 8, 0);
    fact("both", count);
    fact("one at a time", epoll_wait(watch, events, 1, 0));
    control(EPOLL_CTL_DEL, other[1], 0);
    while (read(pipes[0], buffer, sizeof buffer) > 0) continue;
    look("read dry");
    pthread_t thread;
    pthread_create(&thread, NULL, write_later, NULL);
    fact("woken", epoll_wait(watch, events, 8, 5000));
    pthread_join(thread, NULL);
    read(pipes[0], buffer, 1);
    fact("in time", epoll_wait(watch, events, 8, 5));
    int outer = must(epoll_create(1));
    struct epoll_event event = {EPOLLIN, {.u64 = 77}};
    outcome("nested", epoll_ctl(outer, EPOLL_CTL_ADD, watch, &event));
    fact("outer is quiet", epoll_wait(outer, events, 8, 0));
    write(pipes[1], "x", 1);
    fact("outer sees the inner", epoll_wait(outer, events, 8, 1000)), fact("data", events[0].data.u64);
    event.data.fd = outer;
    outcome("a circle", epoll_ctl(watch, EPOLL_CTL_ADD, outer, &event));
    close(pipes[1]);
    look("hang-up");
    close(pipes[0]);
    look("closed descriptors leave");
    outcome("no events", epoll_wait(watch, events, 0, 0));
    outcome("bad pointer", epoll_wait(watch, (void *)8, 8, 0));
    outcome("not an epoll", epoll_wait(other[0], events, 8, 0));
    outcome("size 0", epoll_create(0));
}
