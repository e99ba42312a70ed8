// POSIX message queues, mq_overview(7): priorities, limits, waiting, notification, polling.
#include "facts.h"
#include <mqueue.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char name[40], text[20000];
static mqd_t queue;

static void state(const char *what) {
    struct mq_attr attributes;
    must(mq_getattr(queue, &attributes));
    printf("%s: flags %lo, %ld of %ld, %ld bytes\n", what, attributes.mq_flags,
        attributes.mq_curmsgs, attributes.mq_maxmsg, attributes.mq_msgsize);
}

static void receive(const char *what) {
    unsigned priority = 99;
    memset(text, 0, 100);
    long count = mq_receive(queue, text, sizeof text, &priority);
    if (count < 0) result(what, count);
    else printf("%s: %ld %u %.20s\n", what, count, priority, text);
}

static long send(const char *words, unsigned priority) {
    return mq_send(queue, words, strlen(words), priority);
}

static long try_open(const char *other, int flags, long most, long size) {
    struct mq_attr attributes = {0, most, size, 0};
    long made = mq_open(other, flags, 0600, most ? &attributes : NULL);
    int error = errno;
    if (made >= 0) {
        mq_close(made);
        made = 0;
    }
    errno = error;
    return made;
}

static void making(void) {
    result("missing", try_open(name, O_RDWR, 0, 0));
    queue = must(mq_open(name, O_RDWR | O_CREAT, 0640, NULL));
    state("usual");
    result("exclusive", try_open(name, O_RDWR | O_CREAT | O_EXCL, 0, 0));
    result("again", try_open(name, O_RDWR | O_CREAT, 5, 5));
    result("close on exec", fcntl(queue, F_GETFD));
    result("flags", fcntl(queue, F_GETFL) & ~0100000);
    struct stat status;
    must(fstat(queue, &status));
    printf("mode %o, size %ld\n", status.st_mode, (long)status.st_size);
    result("unlink", mq_unlink(name));
    result("unlink again", mq_unlink(name));
    state("still there");
    mq_close(queue);
    result("other mode", try_open(name, 3 | O_CREAT, 0, 0));
    mq_unlink(name);
    result("no messages", try_open(name, O_RDWR | O_CREAT, -1, 10));
    result("no size", try_open(name, O_RDWR | O_CREAT, 10, 0));
    result("too large", try_open(name, O_RDWR | O_CREAT, 10, (16 << 20) + 1));
    struct rlimit limit = {5000, 5000};
    must(setrlimit(RLIMIT_MSGQUEUE, &limit));
    result("over the limit", try_open(name, O_RDWR | O_CREAT, 10, 8192));
    result("below the limit", try_open(name, O_RDWR | O_CREAT, 10, 100));
    limit.rlim_cur = 200;
    result("slash inside", syscall(SYS_mq_open, "a/b", O_RDWR | O_CREAT, 0600, NULL));
    result("dot", syscall(SYS_mq_open, ".", O_RDWR | O_CREAT, 0600, NULL));
    result("empty", syscall(SYS_mq_open, "", O_RDWR | O_CREAT, 0600, NULL));
    memset(text, 'n', 300);
    text[256] = 0;
    result("too long", syscall(SYS_mq_open, text, O_RDWR | O_CREAT, 0600, NULL));
    result("bad name", syscall(SYS_mq_open, 8, O_RDWR | O_CREAT, 0600, NULL));
    result("bad attributes", syscall(SYS_mq_open, name + 1, O_RDWR | O_CREAT, 0600, 8));
    uid_t own = geteuid();
    must(seteuid(0)), must(seteuid(1000));
    result("other", try_open(name, O_RDONLY, 0, 0));
    result("other unlinks", syscall(SYS_mq_unlink, name + 1));
    must(seteuid(0)), must(seteuid(own));
    must(mq_unlink(name));
}

static void messages(void) {
    struct mq_attr attributes = {0, 4, 50, 0};
    queue = must(mq_open(name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, &attributes));
    state("new");
    result("empty", mq_receive(queue, text, 50, NULL));
    result("send", send("low", 1));
    result("send", send("high", 9));
    result("send", send("low again", 1));
    result("send", send("", 5));
    struct pollfd entry = {queue, POLLIN | POLLOUT, 0};
    poll(&entry, 1, 0);
    tell("poll full", "%x", entry.revents);
    result("full", send("more", 1));
    state("full");
    memset(text, 0, 200);
    must(read(queue, text, 200));
    printf("%s", text);
    result("too short", mq_receive(queue, text, 49, NULL));
    receive("first");
    receive("second");
    poll(&entry, 1, 0);
    tell("poll", "%x", entry.revents);
    receive("third");
    receive("fourth");
    receive("none");
    poll(&entry, 1, 0);
    tell("poll empty", "%x", entry.revents);
    memset(text, 'x', 60);
    result("too long", mq_send(queue, text, 51, 1));
    result("longest", mq_send(queue, text, 50, 1));
    result("priority", mq_send(queue, text, 5, 32768));
    result("highest", mq_send(queue, text, 5, 32767));
    result("bad text", mq_send(queue, (char *)8, 5, 1));
    struct timespec bad = {0, -1}, past = {1, 0};
    result("bad time", mq_timedsend(queue, text, 5, 1, &bad));
    result("bad time pointer", mq_timedreceive(queue, text, 60, NULL, (void *)8));
    result("bad buffer", mq_receive(queue, (char *)8, 60, NULL));
    receive("that one is lost");
    result("no queue", mq_send(0, text, 5, 1));
    result("no descriptor", mq_send(99, text, 5, 1));
    mqd_t reading = must(mq_open(name, O_RDONLY));
    mqd_t writing = must(mq_open(name, O_WRONLY));
    result("only reading", mq_send(reading, text, 5, 1));
    result("only writing", mq_receive(writing, text, 60, NULL));
    result("timed out", mq_timedreceive(reading, text, 60, NULL, &past));
    for (int i = 0; i < 4; i++) must(send("full", 1));
    result("timed out", mq_timedsend(writing, text, 5, 1, &past));
    mq_close(writing);
    mq_close(reading);
    attributes.mq_flags = 0;
    struct mq_attr before;
    result("waits from now on", mq_setattr(queue, &attributes, &before));
    tell("before", "%lo %ld", before.mq_flags, before.mq_curmsgs);
    state("after");
    attributes.mq_flags = O_APPEND;
    result("other flags", mq_setattr(queue, &attributes, NULL));
    for (int i = 0; i < 4; i++) receive("left");
}

static pid_t start(void (*body)(void)) {
    fflush(stdout);
    pid_t id = fork();
    if (id == 0) {
        body();
        fflush(stdout);
        _exit(0);
    }
    sleep_ms(30);
    return id;
}

static void receives(void) { receive("child"); }
static void sends(void) { result("child sends", send("late", 3)); }

static volatile sig_atomic_t told, code, value;
static void notified(int number, siginfo_t *information, void *context) {
    told++;
    code = information->si_code;
    value = information->si_value.sival_int;
}

static void waiting(void) {
    pid_t child = start(receives);
    must(send("for the child", 7));
    must(waitpid(child, NULL, 0));
    for (int i = 0; i < 4; i++) must(send("full", 1));
    child = start(sends);
    must(mq_receive(queue, text, sizeof text, NULL));
    must(waitpid(child, NULL, 0));
    receive("late");
    for (int i = 0; i < 3; i++) receive("full");
    struct timespec soon;
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
    result("waits in vain", mq_timedreceive(queue, text, 60, NULL, &soon));

    install(SIGUSR1, notified, SA_RESTART);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_int = 42;
    result("notify", mq_notify(queue, &event));
    result("taken", mq_notify(queue, &event));
    must(send("first", 1));
    must(send("second", 1));
    printf("told %d, code %d, value %d\n", told, code, value);
    result("notify a queue with messages", mq_notify(queue, &event));
    must(send("third", 1));
    fact("not told", told);
    for (int i = 0; i < 3; i++) must(mq_receive(queue, text, 60, NULL));
    must(send("fourth", 1));
    fact("told", told);
    must(mq_receive(queue, text, 60, NULL));
    result("notify", mq_notify(queue, &event));
    result("not any more", mq_notify(queue, NULL));
    must(send("fifth", 1));
    fact("not told", told);
    must(mq_receive(queue, text, 60, NULL));
    must(mq_notify(queue, &event));
    child = start(receives);
    must(send("to who waits", 1));
    must(waitpid(child, NULL, 0));
    fact("nobody else is told", told);
    event.sigev_notify = SIGEV_NONE;
    result("still taken", mq_notify(queue, &event));
    must(mq_notify(queue, NULL));
    result("nothing to tell", mq_notify(queue, &event));
    event.sigev_notify = 77;
    result("unknown", mq_notify(queue, &event));
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = 99;
    result("no such signal", mq_notify(queue, &event));
    result("no queue", mq_notify(0, NULL));
    mq_close(queue);
    must(mq_unlink(name));
    const char *limits[] = {"msg_default", "msg_max", "msgsize_default", "msgsize_max", "queues_max"};
    for (int i = 0; i < 5; i++) {
        snprintf(text, 100, "/proc/sys/fs/mqueue/%s", limits[i]);
        FILE *file = fopen(text, "r");
        printf("%s: %s", limits[i], file ? fgets(text, 100, file) : "none\n");
        if (file) fclose(file);
    }
}

int main(void) {
    snprintf(name, sizeof name, "/queue-%d", getpid());
    // The limit counts the queues of a user: those of a run beside this one too.
    must(seteuid(100000 + getpid()));
    making();
    messages();
    waiting();
    return 0;
}
