#define _GNU_SOURCE
#include "tender_test_support.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_shell(char *const *arguments, char *const *environment, int events, int commands)
{
    signal(SIGTTOU, SIG_IGN);
    pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0);
        tcsetpgrp(0, getpgrp());
        signal(SIGTTOU, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execve(arguments[0], arguments, environment);
        _exit(99);
    }
    setpgid(job, job);
    tcsetpgrp(0, job);
    dprintf(events, "pid %d\n", job);
    for (;;) {
        int status;
        if (waitpid(job, &status, WUNTRACED) < 0)
            _exit(98);
        tcsetpgrp(0, getpgrp());
        if (WIFEXITED(status)) {
            dprintf(events, "exited %d\n", WEXITSTATUS(status));
            _exit(0);
        }
        if (WIFSIGNALED(status)) {
            dprintf(events, "killed %d\n", WTERMSIG(status));
            _exit(0);
        }
        dprintf(events, "stopped %d\n", WSTOPSIG(status));
        char command;
        if (read(commands, &command, 1) != 1)
            _exit(97);
        tcsetpgrp(0, job);
        kill(-job, SIGCONT);
    }
}

int test_start_job(char *const arguments[], char *const environment[], struct test_job *job)
{
    int events[2], commands[2];
    if (pipe2(events, O_CLOEXEC) != 0 || pipe2(commands, O_CLOEXEC) != 0)
        return errno;
    job->shell = forkpty(&job->terminal, NULL, NULL, NULL);
    if (job->shell < 0)
        return errno;
    if (job->shell == 0)
        run_shell(arguments, environment, events[1], commands[0]);
    fcntl(job->terminal, F_SETFD, FD_CLOEXEC);
    close(events[1]);
    close(commands[0]);
    job->events = events[0];
    job->commands = commands[1];
    return 0;
}
