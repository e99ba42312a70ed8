#include "facts.h"
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

// What the caller hands on (nice, limits, personality) is set before it is told.
int main(void) {
    uid_t real, effective, saved;
    tell("user", "%d %d", getuid() == geteuid(), getgid() == getegid());
    getresuid(&real, &effective, &saved);
    fact("all the same", real == effective && effective == saved);
    getresgid(&real, &effective, &saved);
    fact("groups too", real == effective && effective == saved);
    outcome("to the same", setuid(getuid()));
    outcome("to the same group", setgid(getgid()));
    outcome("setresuid", setresuid(-1, getuid(), -1));
    fact("count of groups", getgroups(0, NULL) >= 0);
    result("negative", getgroups(-1, NULL));
    fact("process", getpid() > 0), fact("parent", getppid() >= 0);
    fact("session", getsid(0) > 0), fact("group", getpgrp() > 0), fact("group of me", getpgid(0) == getpgrp());
    result("group of nobody", getpgid(99999999));
    struct rlimit limit;
    for (int each = 0; each < RLIM_NLIMITS; each++) {
        if (getrlimit(each, &limit) || limit.rlim_cur > limit.rlim_max) fact("odd limit", each);
    }
    outcome("unknown", getrlimit(99, &limit));
    getrlimit(RLIMIT_STACK, &limit), limit.rlim_cur = 1 << 20;
    outcome("set the stack's", setrlimit(RLIMIT_STACK, &limit));
    getrlimit(RLIMIT_STACK, &limit), fact("stack", limit.rlim_cur);
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = 0;
    outcome("set", setrlimit(RLIMIT_CORE, &limit));
    getrlimit(RLIMIT_CORE, &limit), fact("is", limit.rlim_cur);
    limit = (struct rlimit){5, 4};
    outcome("soft above hard", setrlimit(RLIMIT_CORE, &limit));
    outcome("prlimit of another", syscall(SYS_prlimit64, 99999999, RLIMIT_CORE, NULL, &limit));
    outcome("bad pointer", syscall(SYS_prlimit64, 0, RLIMIT_CORE, 8, NULL));
    struct rlimit size = {10000, 10000};
    signal(SIGXFSZ, SIG_IGN);
    must(setrlimit(RLIMIT_FSIZE, &size));
    int file = make_file("limited", "");
    static char block[8000];
    result("within", write(file, block, 8000)), result("partly", write(file, block, 8000)), result("beyond", write(file, block, 1));
    fact("dumpable", prctl(PR_GET_DUMPABLE) >= 0);
    outcome("no new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)), fact("is", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    outcome("unknown prctl", prctl(9999, 0, 0, 0, 0));
    outcome("nicest", setpriority(PRIO_PROCESS, 0, 19)), fact("nice", getpriority(PRIO_PROCESS, 0));
    outcome("default personality", syscall(SYS_personality, 0));
    fact("personality", syscall(SYS_personality, 0xffffffff));
    unsigned long base;
    outcome("arch_prctl", syscall(SYS_arch_prctl, 0x1003, &base)), fact("fs is set", base != 0);
    outcome("unknown arch_prctl", syscall(SYS_arch_prctl, 0x9999, &base));
    outcome("no children", syscall(SYS_wait4, -1, NULL, 0, NULL));
}
