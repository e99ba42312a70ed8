#include "facts.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;

static int open_pair(void) {
    int fd = must(posix_openpt(O_RDWR | O_NOCTTY));
    grantpt(fd);
    return fd;
}

// Shows bytes with those that cannot be printed as numbers.
static void shown(const char *name, const char *bytes, ssize_t count) {
    char text[1024] = "";
    for (ssize_t i = 0; i < count; i++) {
        char part[8];
        snprintf(part, sizeof part, bytes[i] >= 32 && bytes[i] < 127 ? "%c" : "<%d>", bytes[i] & 255);
        strcat(text, part);
    }
    tell(name, "%zd %s", count, count < 0 ? error_name(errno) : text);
}

static void from(int fd, const char *name) {
    char bytes[300];
    ssize_t count = read(fd, bytes, sizeof bytes);
    // What is written to a terminal reaches its master in pieces.
    struct pollfd more = {.fd = master, .events = POLLIN};
    while (fd == master && count > 0 && poll(&more, 1, 50) == 1 && more.revents & POLLIN)
        count += read(fd, bytes + count, sizeof bytes - count);
    shown(name, bytes, count);
}

// What is typed is echoed a little later.
static void type(const char *text) {
    must(write(master, text, strlen(text)));
    sleep_ms(20);
}

static void events(const char *name) {
    struct pollfd both[2] = {{.fd = master, .events = POLLIN | POLLOUT | POLLPRI},
                             {.fd = slave, .events = POLLIN | POLLOUT}};
    poll(both, 2, 0);
    tell(name, "master %x, slave %x", both[0].revents, both[1].revents);
}

static void modes(void (*change)(struct termios *)) {
    struct termios now;
    must(tcgetattr(slave, &now));
    change(&now);
    must(tcsetattr(slave, TCSANOW, &now));
}

static void raw(struct termios *now) { cfmakeraw(now), now->c_cc[VMIN] = 1, now->c_cc[VTIME] = 0; }
static void three(struct termios *now) { now->c_cc[VMIN] = 3; }
static void timed(struct termios *now) { now->c_cc[VMIN] = 0, now->c_cc[VTIME] = 1; }
static void between(struct termios *now) { now->c_cc[VMIN] = 5, now->c_cc[VTIME] = 1; }
static void none(struct termios *now) { now->c_cc[VMIN] = 0, now->c_cc[VTIME] = 0; }

static void names(void) {
    unsigned number = 99;
    result("a locked terminal", open(ptsname(master), O_RDWR | O_NOCTTY));
    unlockpt(master);
    must(ioctl(master, TIOCGPTN, &number));
    char path[40], link[40], real[64] = "";
    snprintf(path, sizeof path, "/dev/pts/%u", number);
    fact("the name is the number's", strcmp(path, ptsname(master)) == 0);
    slave = must(open(path, O_RDWR | O_NOCTTY));
    fact("its name is found", strcmp(ttyname(slave), path) == 0);
    snprintf(link, sizeof link, "/proc/self/fd/%d", slave);
    must(readlink(link, real, sizeof real - 1));
    fact("and told by /proc", strcmp(real, path) == 0);
    struct stat status;
    must(fstat(slave, &status));
    tell("a terminal is", "%o, major %u, number %d", status.st_mode & (S_IFMT | 0600),
         (unsigned)(status.st_rdev >> 8), status.st_rdev % 256 == number);
    fact("both are terminals", isatty(slave) && isatty(master));
    result("no such terminal", open("/dev/pts/4094", O_RDWR));
    result("no controlling terminal", ioctl(slave, TIOCGPGRP, &number));
}

static void lines(void) {
    struct termios now;
    must(tcgetattr(slave, &now));
    tell("modes", "%x %x %x %x, erase %d", now.c_iflag, now.c_oflag, now.c_cflag, now.c_lflag,
         now.c_cc[VERASE]);
    events("at first");
    type("half");
    events("half a line");
    from(master, "echo");
    type("\b\b\177\177lf\r");
    events("a line");
    from(slave, "line");
    from(master, "echo of editing");
    must(write(slave, "one\ntwo\n", 8));
    from(master, "output");
    type("word another\027last\n");
    from(slave, "a word erased");
    type("gone\025kept\n");
    from(slave, "a line killed");
    type("a\026\003b\n");
    from(slave, "taken literally");
    from(master, "echo of all that");
    type("no end\004");
    from(slave, "pushed");
    type("\004");
    from(slave, "end of file");
    type("first\nsecond\n");
    from(slave, "the first of two");
    int count = 0;
    must(ioctl(slave, FIONREAD, &count));
    fact("left", count);
    from(slave, "the second");
    type("lost\n");
    must(tcflush(slave, TCIFLUSH));
    must(fcntl(slave, F_SETFL, O_NONBLOCK));
    from(slave, "after a flush");
    must(fcntl(slave, F_SETFL, 0));
    from(master, "echo of the rest");
}

static void bytes(void) {
    modes(raw);
    type("a\r\003");
    from(slave, "raw");
    modes(three);
    type("12");
    events("two of three");
    type("34");
    from(slave, "four of three");
    modes(timed);
    from(slave, "nothing for a tenth of a second");
    modes(between);
    type("ab");
    from(slave, "what came until a pause");
    modes(none);
    from(slave, "without waiting");
    must(write(slave, "x\ny\n", 4));
    from(master, "raw output");
    must(tcflow(slave, TCOOFF));
    events("output is stopped");
    must(fcntl(slave, F_SETFL, O_NONBLOCK));
    result("nothing may be written", write(slave, "held", 4));
    must(fcntl(slave, F_SETFL, 0));
    must(tcflow(slave, TCOON));
    events("output goes on");
}

static void packets(void) {
    int on = 1;
    must(ioctl(master, TIOCPKT, &on));
    must(write(slave, "data", 4));
    from(master, "packet");
    must(tcflush(slave, TCIFLUSH));
    events("news");
    from(master, "flushed");
    on = 0;
    must(ioctl(master, TIOCPKT, &on));
}

static void ends(void) {
    struct winsize size = {.ws_row = 12, .ws_col = 34};
    must(ioctl(master, TIOCSWINSZ, &size));
    size.ws_row = 0;
    must(ioctl(slave, TIOCGWINSZ, &size));
    tell("window", "%d %d", size.ws_row, size.ws_col);
    must(write(slave, "last words", 10));
    close(slave);
    events("the terminal is closed");
    from(master, "what was left");
    from(master, "and then");
    events("nothing is left");
    slave = must(open(ptsname(master), O_RDWR | O_NOCTTY));
    events("opened again");
    close(master);
    events("the master is closed");
    from(slave, "end of the terminal");
    result("write to nobody", write(slave, "x", 1));
    result("asked of nobody", tcgetattr(slave, &(struct termios){0}));
    close(slave);
}

int main(void) {
    // Standard input may be a terminal, which is not to be this program's.
    setsid();
    master = open_pair();
    names();
    lines();
    bytes();
    packets();
    ends();
    int first = open_pair(), second = open_pair();
    int numbers[2];
    must(ioctl(first, TIOCGPTN, &numbers[0]));
    must(ioctl(second, TIOCGPTN, &numbers[1]));
    fact("two are apart", numbers[1] > numbers[0]);
    int peer = ioctl(second, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    result("a peer that is locked", peer);
    unlockpt(second);
    peer = must(ioctl(second, TIOCGPTPEER, O_RDWR | O_NOCTTY));
    must(write(peer, "peer\n", 5));
    master = second;
    from(second, "from a peer");
    return 0;
}
