#include "facts.h"

static char text[8192];

static const char *line(const char *name) {
    static char value[256];
    const char *found = strstr(text, name);
    if (!found) return "absent";
    sscanf(found + strlen(name), " %255[^\n]", value);
    return value;
}

int main(void) {
    char *locked = map(3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    must(mlock(locked, 3 * 4096));
    int file = must(open("/proc/self/status", O_RDONLY));
    must(read(file, text, sizeof text - 1));
    const char *names[] = {"Name:", "Umask:", "State:", "Tgid:", "Pid:", "PPid:", "TracerPid:",
        "Uid:", "Gid:", "FDSize:", "Groups:", "VmPeak:", "VmSize:", "VmLck:", "VmHWM:", "VmRSS:",
        "VmData:", "VmStk:", "VmExe:", "VmLib:", "VmSwap:", "Threads:", "SigQ:", "SigPnd:",
        "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:", "CapInh:", "CapPrm:", "CapEff:", "CapBnd:",
        "CapAmb:", "NoNewPrivs:", "Seccomp:", "Cpus_allowed:", "Cpus_allowed_list:",
        "voluntary_ctxt_switches:", "nonvoluntary_ctxt_switches:"};
    const char *before = text;
    for (unsigned index = 0; index < sizeof names / sizeof *names; index++) {
        const char *found = strstr(before, names[index]);
        tell(names[index], "%s", !found ? "absent or before its place" : "there");
        if (found) before = found;
    }
    tell("state", "%s", line("\nState:"));
    tell("locked", "%s", line("\nVmLck:"));
    tell("swapped", "%s", line("\nVmSwap:"));
    tell("ambient", "%s", line("\nCapAmb:"));
    fact("most resident is not less", atol(line("\nVmHWM:")) >= atol(line("\nVmRSS:")));
    fact("a stack", atol(line("\nVmStk:")) > 0);
}
