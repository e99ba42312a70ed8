// args: one
#include "facts.h"
#include <elf.h>
#include <sys/auxv.h>

extern char **environ;

int main(int count, char **arguments) {
    fact("page size", getauxval(AT_PAGESZ));
    fact("clock ticks", getauxval(AT_CLKTCK));
    tell("name", "%d", strcmp((char *)getauxval(AT_EXECFN), arguments[0]));
    tell("platform", "%s", (char *)getauxval(AT_PLATFORM));
    fact("secure", getauxval(AT_SECURE));
    fact("user", getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
    fact("headers' size", getauxval(AT_PHENT));
    Elf64_Phdr *headers = (Elf64_Phdr *)getauxval(AT_PHDR);
    int loads = 0, entry_inside = 0;
    uintptr_t base = 0;
    for (unsigned long each = 0; each < getauxval(AT_PHNUM); each++) {
        if (headers[each].p_type == PT_PHDR) base = (uintptr_t)headers - headers[each].p_vaddr;
    }
    for (unsigned long each = 0; each < getauxval(AT_PHNUM); each++) {
        if (headers[each].p_type != PT_LOAD) continue;
        loads++;
        uintptr_t start = base + headers[each].p_vaddr;
        entry_inside += getauxval(AT_ENTRY) >= start && getauxval(AT_ENTRY) < start + headers[each].p_memsz;
    }
    tell("segments, entry", "%d %d", loads, entry_inside);
    fact("no interpreter", getauxval(AT_BASE));
    unsigned char *random = (unsigned char *)getauxval(AT_RANDOM);
    int different = 0;
    for (int each = 1; each < 16; each++) different += random[each] != random[0];
    fact("random bytes", different > 4);
    fact("hardware", getauxval(AT_HWCAP) != 0);
    fact("fsgsbase bit is the processor's or the kernel's", (getauxval(AT_HWCAP2) & ~3UL) == 0);
    fact("signal stack", getauxval(AT_MINSIGSTKSZ) >= 1024);
    char *page = (char *)getauxval(AT_SYSINFO_EHDR);
    fact("vdso", page && memcmp(page, ELFMAG, SELFMAG) == 0);
    // Strings lie above the vectors, one after the other, and the name comes last.
    fact("argument strings follow each other", arguments[1] == arguments[0] + strlen(arguments[0]) + 1);
    fact("vector ends", arguments[count] == NULL && environ == arguments + count + 1);
    fact("strings are above", (char *)environ < arguments[0]);
}
