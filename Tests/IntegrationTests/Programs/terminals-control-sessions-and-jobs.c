#include "facts.h"
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

static int master;
static volatile sig_atomic_t hangups, conts, winches;

static void note(int number, siginfo_t *information, void *context) {
    (void)information, (void)context;
    if (number == SIGHUP) hangups++;
    if (number == SIGCONT) conts++;
    if (number == SIGWINCH) winches++;
}

static void type(const char *text) { must(write(master, text, strlen(text))); }

// What the terminal shows until it has shown `end` and the end of that line.
static void shown(const char *name, const char *end) {
    char text[2000] = "";
    size_t count = 0;
    while (count < sizeof text - 1 && !(strstr(text, end) && text[count - 1] == '\n')) {
        ssize_t got = read(master, text + count, sizeof text - 1 - count);
        if (got <= 0) break;
        count += got;
    }
    for (size_t i = 0; i < count; i++)
        if (text[i] == '\r' || text[i] == '\n') text[i] = '|';
    tell(name, "%s", text);
}

static void say(const char *text) { must(write(1, text, strlen(text))); }

static const char *status_name(int status) {
    static char text[40];
    if (WIFSTOPPED(status)) snprintf(text, sizeof text, "stopped by %d", WSTOPSIG(status));
    else if (WIFCONTINUED(status)) snprintf(text, sizeof text, "continued");
    else if (WIFSIGNALED(status)) snprintf(text, sizeof text, "killed by %d", WTERMSIG(status));
    else snprintf(text, sizeof text, "exited %d", WEXITSTATUS(status));
    return text;
}

static void report(const char *name, pid_t child, int options) {
    int status = 0;
    char line[80];
    must(waitpid(child, &status, options));
    snprintf(line, sizeof line, "%s: %s\n", name, status_name(status));
    say(line);
}

// A child in a group of its own, which waits for a byte of its pipe before it begins.
static pid_t job(void (*body)(void), int *go) {
    int ends[2];
    must(pipe(ends));
    pid_t child = must(fork());
    if (child == 0) {
        char byte;
        setpgid(0, 0);
        must(read(ends[0], &byte, 1));
        body();
        _exit(0);
    }
    setpgid(child, child);
    *go = ends[1];
    return child;
}

static void begin(int go) { must(write(go, "", 1)); }

static void reads_a_line(void) {
    char line[80];
    ssize_t count = read(0, line, sizeof line);
    _exit(count > 0 ? (int)count : 90 + errno);
}

static void ignores_and_reads(void) {
    signal(SIGTTIN, SIG_IGN);
    char byte;
    _exit(read(0, &byte, 1) == -1 && errno == EIO ? 7 : 8);
}

static void changes_modes(void) {
    struct termios modes;
    must(tcgetattr(0, &modes));
    _exit(tcsetattr(0, TCSANOW, &modes) == 0 ? 3 : 4);
}

static void writes(void) { must(write(1, "from the background\n", 20)); }
static void waits(void) { for (;;) pause(); }

// The session's leader: a shell in small.
static void lead(void) {
    char line[100];
    int group = 0, go;
    snprintf(line, sizeof line, "session %d, group %d, by %d\n", tcgetsid(0) == getpid(),
             tcgetpgrp(0) == getpid(), open("/dev/tty", O_RDWR) >= 0);
    say(line);

    pid_t child = job(reads_a_line, &go);
    begin(go);
    report("reads in the background", child, WUNTRACED);
    must(tcsetpgrp(0, child));
    must(kill(-child, SIGCONT));
    report("goes on", child, WCONTINUED);
    signal(SIGTTOU, SIG_IGN);
    say("type: line\n");
    report("has read", child, 0);
    must(tcsetpgrp(0, getpid()));
    signal(SIGTTOU, SIG_DFL);

    child = job(ignores_and_reads, &go);
    begin(go);
    report("ignores SIGTTIN", child, WUNTRACED);

    child = job(changes_modes, &go);
    begin(go);
    report("changes modes in the background", child, WUNTRACED);
    must(kill(child, SIGKILL));
    report("is killed while it is stopped", child, 0);

    child = job(writes, &go);
    begin(go);
    report("writes from the background", child, WUNTRACED);
    struct termios modes;
    must(tcgetattr(0, &modes));
    modes.c_lflag |= TOSTOP;
    must(tcsetattr(0, TCSANOW, &modes));
    child = job(writes, &go);
    begin(go);
    report("with TOSTOP", child, WUNTRACED);
    must(kill(child, SIGKILL));
    must(waitpid(child, NULL, 0));

    child = job(waits, &go);
    must(tcsetpgrp(0, child));
    begin(go);
    signal(SIGTTOU, SIG_IGN);
    modes.c_lflag &= ~TOSTOP;
    must(tcsetattr(0, TCSANOW, &modes));
    say("type: ^Z\n");
    report("is stopped", child, WUNTRACED);
    must(kill(child, SIGCONT));
    say("type: ^C\n");
    report("is interrupted", child, WUNTRACED);
    must(tcsetpgrp(0, getpid()));

    result("no such group", tcsetpgrp(0, 4000000));
    group = -5;
    result("a group below zero", ioctl(0, TIOCSPGRP, &group));
    fact("a leader cannot start a session", setsid() == -1 && errno == EPERM);
    say("resize\n");
    while (!winches) sleep_ms(5);
    say("resized\n");

    child = job(waits, &go);
    begin(go);
    must(kill(child, SIGSTOP));
    must(waitpid(child, NULL, WUNTRACED));
    say("leaves a stopped job\n");
    _exit(0);
}

static pid_t start(void (*body)(void)) {
    pid_t child = must(fork());
    if (child) return child;
    must(setsid());
    int slave = must(open(ptsname(master), O_RDWR));
    close(master);
    dup2(slave, 0), dup2(slave, 1), dup2(slave, 2);
    if (slave > 2) close(slave);
    body();
    _exit(0);
}

static void waits_for_the_end(void) {
    install(SIGHUP, note, 0);
    install(SIGCONT, note, 0);
    say("waits\n");
    while (!hangups || !conts) sleep_ms(5);
    _exit(hangups * 10 + conts);
}

static void gives_up(void) {
    install(SIGHUP, note, 0);
    install(SIGCONT, note, 0);
    char line[100];
    int given = ioctl(0, TIOCNOTTY);
    snprintf(line, sizeof line, "gave up: %d, then %d, %d %d\n", given,
             open("/dev/tty", O_RDWR) == -1 && errno == ENXIO, (int)hangups, (int)conts);
    say(line);
    fact("taken again", ioctl(0, TIOCSCTTY, 0));
}

static void open_master(void) {
    master = must(posix_openpt(O_RDWR | O_NOCTTY));
    unlockpt(master);
}

int main(void) {
    install(SIGWINCH, note, SA_RESTART);
    int status;
    open_master();
    pid_t leader = start(lead);
    shown("begins", "type: line");
    type("a line of input\n");
    shown("jobs", "type: ^Z");
    type("\032");
    shown("stopped", "type: ^C");
    type("\003");
    shown("interrupted", "resize");
    must(ioctl(master, TIOCSWINSZ, &(struct winsize){.ws_row = 5, .ws_col = 6}));
    shown("end", "stopped job");
    must(waitpid(leader, &status, 0));
    tell("the leader", "%s", status_name(status));
    close(master);

    open_master();
    leader = start(waits_for_the_end);
    shown("another", "waits");
    close(master);
    must(waitpid(leader, &status, 0));
    tell("hung up", "%s", status_name(status));

    open_master();
    leader = start(gives_up);
    shown("a third", "taken again: 0");
    must(waitpid(leader, &status, 0));
    return 0;
}
