#include "facts.h"
#include <sched.h>
#include <sys/prctl.h>

static pid_t first, second;
static char name[16];

static void *work(void *argument) {
    second = syscall(SYS_gettid);
    prctl(PR_SET_NAME, "a rather long thread name");
    prctl(PR_GET_NAME, name);
    check(getpid() == first);
    return NULL;
}

int main(void) {
    first = syscall(SYS_gettid);
    fact("first thread has the process number", first == getpid());
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    fact("others have their own", second != first && second > 0);
    tell("name", "%s", name);
    cpu_set_t set;
    CPU_ZERO(&set);
    outcome("getaffinity", sched_getaffinity(0, sizeof set, &set));
    fact("at least one", CPU_COUNT(&set) >= 1);
    fact("getcpu is in it", CPU_ISSET(sched_getcpu(), &set) != 0);
    outcome("setaffinity to the same", sched_setaffinity(0, sizeof set, &set));
    CPU_ZERO(&set);
    outcome("to none", sched_setaffinity(0, sizeof set, &set));
    outcome("of nobody", sched_getaffinity(99999999, sizeof set, &set));
    outcome("size too small", syscall(SYS_sched_getaffinity, 0, 1, &set));
    fact("policy", sched_getscheduler(0));
    struct sched_param parameters = {7};
    outcome("getparam", sched_getparam(0, &parameters));
    fact("priority", parameters.sched_priority);
    fact("fifo max", sched_get_priority_max(SCHED_FIFO));
    fact("fifo min", sched_get_priority_min(SCHED_FIFO));
    fact("other max", sched_get_priority_max(SCHED_OTHER));
    outcome("unknown policy", sched_get_priority_max(77));
    outcome("yield", sched_yield());
}
