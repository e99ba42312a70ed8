// process: in ring 0 the flag is the kernel's, which clears it: docs/adr/0015
#include "facts.h"
#include <sys/time.h>

static volatile int alarms;

static void count_alarm(int number, siginfo_t *info, void *context) { alarms++; }

int main(void) {
    unsigned long flag = 1 << 18, kept = flag;
    install(SIGALRM, count_alarm, 0);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 2000}, {0, 2000}}, NULL);
    for (int turn = 0; turn < 100 || alarms < 3; turn++) {
        long number = SYS_getppid;
        __asm__ volatile("pushfq; or %2, (%%rsp); popfq\n\t"
                         "syscall\n\t"
                         "mov $20000, %%ecx; 1: dec %%ecx; jnz 1b\n\t"
                         "pushfq; pop %%rcx; and %%rcx, %1\n\t"
                         "not %2; pushfq; and %2, (%%rsp); popfq; not %2"
                         : "+a"(number), "+r"(kept), "+r"(flag)
                         :
                         : "rcx", "r11", "memory");
    }
    puts(kept == flag ? "kept" : "lost");
}
