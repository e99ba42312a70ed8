#include "facts.h"
#include <linux/futex.h>
#include <sched.h>

static int parent_word, child_word = -1, ran;

static int body(void *argument) {
    ran = 1;
    check(child_word == syscall(SYS_gettid));
    syscall(SYS_exit, 7);
    return 0;
}

int main(void) {
    char *stack = map(65536, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM
        | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    int child = must(clone(body, stack + 65536, flags, NULL, &parent_word, NULL, &child_word));
    fact("parent's word", parent_word == child);
    int seen;
    while ((seen = __atomic_load_n(&child_word, __ATOMIC_SEQ_CST)) != 0) {
        syscall(SYS_futex, &child_word, FUTEX_WAIT, seen, NULL);
    }
    fact("ran", ran);
    fact("cleared at exit", child_word);
    outcome("thread without its signal handlers", syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0));
    outcome("handlers without memory", syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0));
    fact("set_tid_address tells the thread", syscall(SYS_set_tid_address, &child_word) == getpid());
}
