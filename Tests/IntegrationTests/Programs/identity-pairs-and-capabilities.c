#include "facts.h"
#include <linux/capability.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

// Raw calls, for the C libraries' own change all threads.

static void show(const char *name) {
    unsigned users[3], groups[3];
    syscall(SYS_getresuid, users, users + 1, users + 2);
    syscall(SYS_getresgid, groups, groups + 1, groups + 2);
    tell(name, "%u %u %u, %u %u %u", users[0], users[1], users[2], groups[0], groups[1], groups[2]);
}

static void set_pairs(void) {
    result("groups", syscall(SYS_setregid, 100, 200));
    show("after it");
    result("one group", syscall(SYS_setregid, -1, 300));
    show("after it");
    result("users", syscall(SYS_setreuid, 1000, 2000));
    show("after it");
    result("users the other way", syscall(SYS_setreuid, 2000, 1000));
    show("after it");
    result("back to root", syscall(SYS_setreuid, -1, 0));
    result("another real user", syscall(SYS_setreuid, 3000, -1));
    result("the saved one as the real one", syscall(SYS_setreuid, 1000, -1));
    show("after it");
    result("another group", syscall(SYS_setregid, 5, -1));
    result("the real group as the effective one", syscall(SYS_setregid, -1, 100));
    show("after it");
    result("nothing", syscall(SYS_setreuid, -1, -1));
    result("nothing of groups", syscall(SYS_setregid, -1, -1));
}

static void keep_the_saved_user(void) {
    result("the real one alone", syscall(SYS_setreuid, 0, -1));
    show("after it");
    result("the effective one alone", syscall(SYS_setreuid, -1, 1000));
    show("after it");
    result("back", syscall(SYS_setreuid, -1, 0));
    show("after it");
}

static void set_for_files(void) {
    result("fsuid", syscall(SYS_setfsuid, 1000));
    result("is now", syscall(SYS_setfsuid, -1));
    result("fsgid", syscall(SYS_setfsgid, 100));
    result("is now", syscall(SYS_setfsgid, -1));
    close(must(open("of-another", O_CREAT | O_WRONLY, 0600)));
    struct stat status;
    must(stat("of-another", &status));
    tell("what is made", "%d %d", status.st_uid, status.st_gid);
    fact("not dumpable any more", prctl(PR_GET_DUMPABLE));
    syscall(SYS_setfsuid, 0);
    close(must(open("private", O_CREAT | O_WRONLY, 0600)));
    syscall(SYS_setfsuid, 1000);
    result("root's file", open("private", O_RDONLY));
    syscall(SYS_setresuid, 1000, 1000, 1000);
    result("fsuid of another", syscall(SYS_setfsuid, 0));
    result("is still", syscall(SYS_setfsuid, -1));
    syscall(SYS_setresgid, 100, 100, 100);
    result("fsgid of another", syscall(SYS_setfsgid, 55));
    result("is still", syscall(SYS_setfsgid, -1));
}

static struct __user_cap_data_struct sets[2];

static long get(unsigned version, int process) {
    struct __user_cap_header_struct header = {version, process};
    memset(sets, 0x55, sizeof sets);
    return syscall(SYS_capget, &header, sets);
}

static long set(int process) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, process};
    return syscall(SYS_capset, &header, sets);
}

static void show_sets(const char *name) {
    result(name, get(_LINUX_CAPABILITY_VERSION_3, 0));
    tell("sets", "%02x %02x %08x, %x", sets[0].effective & 0xff, sets[0].permitted & 0xff, sets[0].inheritable,
        sets[1].effective & 0xf);
}

static void ask_for_capabilities(void) {
    struct __user_cap_header_struct header = {0x1234, 0};
    result("an unknown version", syscall(SYS_capget, &header, sets));
    tell("the version", "%x", header.version);
    header.version = 0x1234;
    result("asking for the version", syscall(SYS_capget, &header, 0));
    tell("the version", "%x", header.version);
    result("no sets", (header.version = _LINUX_CAPABILITY_VERSION_3, syscall(SYS_capget, &header, 0)));
    result("a bad header", syscall(SYS_capget, 8, sets));
    result("bad sets", syscall(SYS_capget, &header, 8));
    result("a negative process", get(_LINUX_CAPABILITY_VERSION_3, -1));
    result("no process", get(_LINUX_CAPABILITY_VERSION_3, 4000000));
    result("of the parent", get(_LINUX_CAPABILITY_VERSION_3, getppid()));
    result("the first version", get(_LINUX_CAPABILITY_VERSION_1, 0));
    tell("leaves the second half", "%x", sets[1].effective);
    show_sets("root's");
    result("the same again", set(0));
    result("of another process", set(getppid()));
    header.version = 0x1234;
    result("setting by an unknown version", syscall(SYS_capset, &header, sets));
    result("setting by a bad header", syscall(SYS_capset, 8, sets));
    header.version = _LINUX_CAPABILITY_VERSION_3, header.pid = 0;
    result("setting bad sets", syscall(SYS_capset, &header, 8));
    sets[0].effective = 0xffffffff, sets[0].permitted = 0;
    result("effective and not permitted", set(0));
}

static void ask_as_another(void) {
    syscall(SYS_setresuid, 1000, 1000, 1000);
    show_sets("a user's");
    result("the same again", set(0));
    sets[0].effective = sets[0].permitted = 1;
    result("one more", set(0));
    sets[0].effective = 0;
    result("one more permitted", set(0));
    sets[0].permitted = 0, sets[0].inheritable = 1;
    result("one more inheritable", set(0));
}

static void ask_as_root_of_name_only(void) {
    syscall(SYS_setresuid, 0, 1000, 0);
    result("an effective user", get(_LINUX_CAPABILITY_VERSION_3, 0));
    tell("sets", "%08x %08x", sets[0].effective, sets[0].permitted & 0xff);
    syscall(SYS_setresuid, -1, 0, -1);
    show_sets("root again");
}

int main(void) {
    chmod(".", 0777);
    in_child("pairs", set_pairs);
    in_child("the saved user", keep_the_saved_user);
    in_child("file systems", set_for_files);
    in_child("capabilities", ask_for_capabilities);
    in_child("capabilities of a user", ask_as_another);
    in_child("capabilities of a root that is not effective", ask_as_root_of_name_only);
}
