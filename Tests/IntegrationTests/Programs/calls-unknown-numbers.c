#include "facts.h"

int main(void) {
    long numbers[] = {400, 423, 490, 511, 512, 547, 600, 1000, 100000, 0x7fffffff, -1, -2, 0x40000000, 0x40000027,
        0x100000027, 0xffffffff00000027};
    for (size_t each = 0; each < sizeof numbers / sizeof *numbers; each++) {
        long value;
        __asm__ volatile("syscall" : "=a"(value) : "0"(numbers[each]), "D"(0), "S"(0), "d"(0) : "rcx", "r11", "memory");
        printf("%lx: %s\n", numbers[each], value == getpid() ? "my number" : value < 0 ? error_name(-value) : "ok");
    }
    long obsolete[] = {SYS_create_module, SYS_get_kernel_syms, SYS_query_module, SYS_nfsservctl, SYS_getpmsg, SYS_putpmsg,
        SYS_afs_syscall, SYS_tuxcall, SYS_security, SYS_vserver, SYS_epoll_ctl_old, SYS_epoll_wait_old};
    for (size_t each = 0; each < sizeof obsolete / sizeof *obsolete; each++) result("obsolete", syscall(obsolete[each], 0, 0, 0));
}
