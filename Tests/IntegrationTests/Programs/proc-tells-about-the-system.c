#include "facts.h"
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static char buffer[262144];
static void has(const char *path, const char *text) {
    int file = open(path, O_RDONLY);
    ssize_t total = 0, count;
    while (file >= 0 && (count = read(file, buffer + total, sizeof buffer - 1 - total)) > 0) total += count;
    buffer[total] = 0;
    tell(path, "%s %d", file < 0 ? "absent" : total > 0 ? "text" : "empty", strstr(buffer, text) != NULL);
    close(file);
}

int main(void) {
    has("/proc/cpuinfo", "processor\t: 0"), has("/proc/cpuinfo", "flags"), has("/proc/meminfo", "MemTotal:");
    has("/proc/meminfo", "MemAvailable:"), has("/proc/stat", "cpu "), has("/proc/stat", "btime "), has("/proc/uptime", ".");
    has("/proc/loadavg", "/"), has("/proc/version", "Linux version "), has("/proc/filesystems", "tmpfs");
    has("/proc/sys/kernel/ostype", "Linux"), has("/proc/sys/kernel/osrelease", "."), has("/proc/sys/kernel/hostname", "\n");
    has("/proc/sys/kernel/pid_max", "\n"), has("/proc/sys/kernel/random/boot_id", "-"), has("/proc/sys/vm/overcommit_memory", "\n");
    has("/proc/sys/vm/max_map_count", "\n");
    struct utsname name;
    outcome("uname", uname(&name));
    tell("is", "%s %s", name.sysname, name.machine);
    fact("release has a number", name.release[0] >= '3');
    outcome("bad pointer", syscall(SYS_uname, 8));
    struct sysinfo info;
    outcome("sysinfo", sysinfo(&info));
    fact("sane", info.totalram * info.mem_unit >= 16 << 20 && info.freeram <= info.totalram && info.procs > 0 && info.uptime >= 0);
    outcome("bad pointer", syscall(SYS_sysinfo, 8));
    fact("page size", sysconf(_SC_PAGESIZE));
    fact("processors", sysconf(_SC_NPROCESSORS_ONLN) >= 1);
    fact("configured", sysconf(_SC_NPROCESSORS_CONF) >= 1);
}
