// Starting the kernel image: everything between vfork and exec.
#define _GNU_SOURCE
#include "tender_support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/platform/x86.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const int first_free = TENDER_DESCRIPTOR_COUNT;

// Inherited descriptors of whoever called unirun end here; its own are close-on-exec anyway.
static void close_others(void)
{
    if (syscall(SYS_close_range, first_free, ~0u, 0) == 0)
        return;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    for (rlim_t number = first_free; number < limit.rlim_cur; number++)
        close((int)number);
}

// Sources may stand where another's target is, so all of them first move out of the way.
static int place_descriptors(const int *wanted)
{
    int moved[TENDER_DESCRIPTOR_COUNT];
    for (int number = 3; number < TENDER_DESCRIPTOR_COUNT; number++) {
        moved[number] = wanted[number];
        if (wanted[number] < 0 || wanted[number] >= first_free)
            continue;
        moved[number] = fcntl(wanted[number], F_DUPFD_CLOEXEC, first_free);
        if (moved[number] < 0)
            return errno;
    }
    for (int number = 3; number < TENDER_DESCRIPTOR_COUNT; number++) {
        if (moved[number] < 0)
            close(number);
        else if (dup2(moved[number], number) < 0)
            return errno;
    }
    close_others();
    return 0;
}

static int become_kernel(const struct tender_start *start, pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return errno;
    // The parent may have died before its death was asked to be told.
    if (getppid() != parent)
        _exit(125);
    if (start->errors > 0 && dup2(start->errors, STDERR_FILENO) < 0)
        return errno;
    int failure = place_descriptors(start->descriptors);
    if (failure != 0)
        return failure;
    // A dump of the kernel would hold all memory of the program, and take as long to write.
    const struct rlimit no_core = {0, 0};
    if (setrlimit(RLIMIT_CORE, &no_core) != 0)
        return errno;
    // What a terminal sends is unirun's to forward.
    if (start->has_own_group && setpgid(0, 0) != 0)
        return errno;
    if (start->stop_for_debugger) {
        prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
            return errno;
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execve(start->image, start->arguments, start->environment);
    return errno;
}

pid_t tender_start_kernel(const struct tender_start *start)
{
    pid_t parent = getpid();
    volatile int failure = 0;
    // vfork, as unirun is a big program that has nothing to copy; `failure` is written by the child.
    pid_t child = vfork();
    if (child < 0)
        return -errno;
    if (child == 0) {
        failure = become_kernel(start, parent);
        _exit(125);
    }
    if (failure != 0) {
        waitpid(child, NULL, 0);
        return -failure;
    }
    if (start->stop_for_debugger) {
        // The trap after exec becomes a stop that outlives the detaching.
        waitpid(child, NULL, 0);
        ptrace(PTRACE_DETACH, child, NULL, (void *)(intptr_t)SIGSTOP);
        siginfo_t stopped;
        waitid(P_PID, child, &stopped, WSTOPPED | WEXITED | WNOWAIT);
    }
    return child;
}

int tender_find_in_root(const char *root, const char *path)
{
    int directory = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return -errno;
    struct open_how how;
    memset(&how, 0, sizeof how);
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    long found = syscall(SYS_openat2, directory, path, &how, sizeof how);
    int result = found < 0 ? -errno : (int)found;
    close(directory);
    return result;
}

long tender_read_directory(int folder, void *records, size_t size)
{
    long count = syscall(SYS_getdents64, folder, records, size);
    return count < 0 ? -errno : count;
}

int tender_memory_file(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC);
}

int tender_processor_count(void)
{
    cpu_set_t processors;
    // With more processors than the set has room for there are several.
    return sched_getaffinity(0, sizeof processors, &processors) == 0 ? CPU_COUNT(&processors) : 2;
}

bool tender_tells_vector_use(void)
{
    return x86_cpu_present(x86_cpu_XGETBV_ECX_1);
}
