// A terminal with a small job-control shell on it, for tests.
#pragma once

#include <sys/types.h>

/// A job on a new terminal.
struct test_job {
    /// The shell's pid; it exits when the job has ended.
    pid_t shell;
    /// The terminal's other side.
    int terminal;
    /// One line for each change of the job: `pid N`, `stopped N`, `exited N`, `killed N`.
    int events;
    /// Any byte written here continues a stopped job in the foreground.
    int commands;
};

/// Runs a command as the foreground job of a shell on a new terminal; 0, or an errno.
int test_start_job(char *const arguments[], char *const environment[], struct test_job *job);
