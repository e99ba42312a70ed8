#include "facts.h"
#include <sys/resource.h>
#include <sys/wait.h>

static void tell_status(const char *name, int status) {
    if (WIFEXITED(status)) tell(name, "exited %d", WEXITSTATUS(status));
    if (WIFSIGNALED(status)) tell(name, "killed by %d", WTERMSIG(status));
    if (WIFSTOPPED(status)) tell(name, "stopped by %d", WSTOPSIG(status));
    if (WIFCONTINUED(status)) tell(name, "continued");
}

static pid_t child_that(void (*body)(void)) {
    pid_t child = must(fork());
    if (child == 0) {
        body();
        _exit(0);
    }
    return child;
}

static void exits(void) { _exit(42); }
static void is_killed(void) { raise(SIGKILL); }
static void faults(void) { *(volatile int *)8 = 1; }
static void waits(void) { for (;;) pause(); }

static volatile siginfo_t seen;
static volatile int handled;

static void on_child(int number, siginfo_t *information, void *context) {
    (void)number, (void)context;
    *(siginfo_t *)&seen = *information;
    handled++;
}

static void tell_information(const char *name, siginfo_t *information, pid_t child) {
    tell(name, "signal %d code %d status %d user %d, %s", information->si_signo,
        information->si_code, information->si_status, (int)information->si_uid,
        information->si_pid == child ? "of the child" : "of another");
}

int main(void) {
    int status;
    siginfo_t information;
    result("nobody to wait for", wait(&status));
    void (*bodies[])(void) = {exits, is_killed, faults};
    for (int body = 0; body < 3; body++) {
        pid_t child = child_that(bodies[body]);
        fact("waited for", waitpid(child, &status, 0) == child);
        tell_status("status", status & ~0x80);
    }

    // Kept for a second look.
    pid_t child = child_that(exits);
    memset(&information, 0, sizeof information);
    must(waitid(P_PID, child, &information, WEXITED | WNOWAIT));
    tell_information("looked at", &information, child);
    memset(&information, 0, sizeof information);
    must(waitid(P_ALL, 0, &information, WEXITED));
    tell_information("taken", &information, child);
    result("gone", waitid(P_PID, child, &information, WEXITED));

    // Without waiting.
    child = child_that(waits);
    result("still runs", waitpid(child, &status, WNOHANG));
    memset(&information, 1, sizeof information);
    must(waitid(P_PID, child, &information, WEXITED | WNOHANG));
    fact("no news have no process", information.si_pid);
    must(kill(child, SIGSTOP));
    fact("stop is told", waitpid(child, &status, WUNTRACED) == child);
    tell_status("status", status);
    result("once", waitpid(child, &status, WUNTRACED | WNOHANG));
    must(kill(child, SIGCONT));
    fact("continuing is told", waitpid(child, &status, WCONTINUED) == child);
    tell_status("status", status);
    must(kill(child, SIGSTOP));
    must(kill(child, SIGKILL));
    fact("a stopped one is killed", waitpid(child, &status, 0) == child);
    tell_status("status", status);

    // SIGCHLD.
    install(SIGCHLD, on_child, SA_RESTART);
    child = child_that(exits);
    must(waitpid(child, &status, 0));
    while (!handled) sleep_ms(1);
    tell_information("SIGCHLD", (siginfo_t *)&seen, child);
    handled = 0;
    child = child_that(waits);
    must(kill(child, SIGSTOP));
    while (!handled) sleep_ms(1);
    tell_information("SIGCHLD of a stop", (siginfo_t *)&seen, child);
    install(SIGCHLD, on_child, SA_NOCLDSTOP);
    handled = 0;
    must(kill(child, SIGCONT));
    must(waitpid(child, &status, WCONTINUED));
    fact("not told with SA_NOCLDSTOP", handled);
    must(kill(child, SIGTERM));
    must(waitpid(child, &status, 0));

    // Nobody asks.
    signal(SIGCHLD, SIG_IGN);
    child = child_that(exits);
    result("ignored children leave nothing", waitpid(child, &status, 0));
    struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    must(sigaction(SIGCHLD, &action, NULL));
    child = child_that(exits);
    result("nor with SA_NOCLDWAIT", waitpid(child, &status, 0));
    signal(SIGCHLD, SIG_DFL);

    // Groups of children, and what is refused.
    pid_t leader = child_that(waits), other = child_that(waits);
    outcome("a group", setpgid(leader, leader));
    outcome("joined", setpgid(other, leader));
    result("none in a group of its own", waitpid(-getpid(), &status, WNOHANG | WUNTRACED));
    must(kill(-leader, SIGKILL));
    int ended = 0;
    while (waitpid(-leader, &status, 0) > 0) ended++;
    fact("ended in the group", ended);
    result("unknown options", waitpid(-1, &status, 0x1000));
    result("no process at all", waitpid(INT_MIN, &status, 0));
    result("nothing asked for", waitid(P_ALL, 0, &information, WNOHANG));

    struct rusage usage;
    must(getrusage(RUSAGE_CHILDREN, &usage));
    fact("children used little", usage.ru_utime.tv_sec < 5);
}
