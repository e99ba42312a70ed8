#include "facts.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

struct attributes {
    unsigned size, policy;
    unsigned long flags;
    int niceness;
    unsigned priority;
    unsigned long runtime, deadline, period;
    unsigned long more[8];
};

static long get(int id, struct attributes *attributes, unsigned size, unsigned flags) {
    return syscall(SYS_sched_getattr, id, attributes, size, flags);
}

static long set(int id, struct attributes *attributes, unsigned flags) {
    return syscall(SYS_sched_setattr, id, attributes, flags);
}

static void show(const char *name) {
    struct attributes now = {0};
    must(get(0, &now, 48, 0));
    tell(name, "size %u policy %u flags %lu nice %d priority %u", now.size, now.policy, now.flags,
        now.niceness, now.priority);
}

int main(void) {
    struct attributes asked = {.size = 48};
    must(setpriority(PRIO_PROCESS, 0, 3));
    show("at first");
    result("batch", (asked.policy = SCHED_BATCH, asked.niceness = 5, set(0, &asked, 0)));
    show("then");
    fact("as the older calls tell", syscall(SYS_sched_getscheduler, 0));
    fact("nice", getpriority(PRIO_PROCESS, 0));
    result("reset in children", (asked.flags = 1, set(0, &asked, 0)));
    show("then");
    tell("with its flag", "%#x", (int)syscall(SYS_sched_getscheduler, 0));
    pid_t child = must(fork());
    if (child == 0) {
        show("in a child");
        exit(0);
    }
    must(waitpid(child, NULL, 0));
    result("keeping all", (asked = (struct attributes){.size = 48, .flags = 0x18}, set(0, &asked, 0)));
    show("then");
    result("no size is the first one", (asked = (struct attributes){.niceness = 6}, set(0, &asked, 0)));
    show("then");

    result("a priority", (asked.priority = 5, set(0, &asked, 0)));
    result("an unknown policy", (asked = (struct attributes){.policy = 99}, set(0, &asked, 0)));
    result("a negative one", (asked.policy = -1, set(0, &asked, 0)));
    result("an unknown flag", (asked = (struct attributes){.flags = 1 << 20}, set(0, &asked, 0)));
    result("flags of the call", set(0, &asked, 1));
    result("too short", (asked = (struct attributes){.size = 47}, set(0, &asked, 0)));
    fact("is told the size, at least", asked.size >= 48);
    asked = (struct attributes){.size = 100};
    result("longer, with nothing more", set(0, &asked, 0));
    asked.more[4] = 1;
    result("longer, with more", set(0, &asked, 0));
    result("no record", set(0, NULL, 0));
    result("a bad one", set(0, (void *)8, 0));
    result("of nobody", (asked = (struct attributes){0}, set(4000000, &asked, 0)));
    result("of a negative number", set(-1, &asked, 0));

    result("read: too short", get(0, &asked, 47, 0));
    result("too long", get(0, &asked, 5000, 0));
    result("flags", get(0, &asked, 48, 1));
    result("of nobody", get(4000000, &asked, 48, 0));
    result("into a bad record", get(0, (void *)8, 48, 0));

    result("sched_setscheduler without a record", syscall(SYS_sched_setscheduler, 0, 0, NULL));
    result("sched_getaffinity of a negative number", syscall(SYS_sched_getaffinity, -1, 8, &asked));
}
