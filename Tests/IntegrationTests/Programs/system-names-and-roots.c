#include "facts.h"
#include <sys/utsname.h>

// Nothing is changed but to what it is already: natively the names are the host's.

static void name_the_system(void) {
    struct utsname names;
    must(uname(&names));
    result("the same name", syscall(SYS_sethostname, names.nodename, strlen(names.nodename)));
    result("too long a name", syscall(SYS_sethostname, names.nodename, 65));
    result("a negative length", syscall(SYS_sethostname, names.nodename, -1));
    result("a bad name", syscall(SYS_sethostname, 8, 3));
    result("a bad name that is too long", syscall(SYS_sethostname, 8, 65));
    result("the same domain", syscall(SYS_setdomainname, names.domainname, strlen(names.domainname)));
    result("too long a domain", syscall(SYS_setdomainname, names.domainname, 65));
    result("a negative length", syscall(SYS_setdomainname, names.domainname, -1));
    result("a bad domain", syscall(SYS_setdomainname, 8, 3));
    struct utsname after;
    must(uname(&after));
    fact("nothing has changed", memcmp(&names, &after, sizeof names) == 0);
}

static void name_it_as_a_user(void) {
    must(syscall(SYS_setresuid, 1000, 1000, 1000));
    result("a name", syscall(SYS_sethostname, "x", 1));
    result("too long a name", syscall(SYS_sethostname, "x", 65));
    result("a domain", syscall(SYS_setdomainname, "x", 1));
    result("a root", syscall(SYS_chroot, "."));
    result("a root that is no folder", syscall(SYS_chroot, "file"));
    result("a root that is not there", syscall(SYS_chroot, "missing"));
}

static void change_the_root(void) {
    result("what is not there", syscall(SYS_chroot, "missing"));
    result("a file", syscall(SYS_chroot, "file"));
    result("a bad name", syscall(SYS_chroot, 8));
    result("an empty name", syscall(SYS_chroot, ""));
    int outside = must(open(".", O_RDONLY | O_DIRECTORY));
    result("chroot", syscall(SYS_chroot, "folder"));
    char path[256];
    result("the working folder is where it was", access("folder", F_OK));
    // It cannot be reached any more.
    long length = syscall(SYS_getcwd, path, sizeof path);
    tell("it is called", "%.13s", path);
    fact("the root's folder", access("/inner", F_OK));
    result("the old root's file", access("/file", F_OK));
    must(chdir("/"));
    result("what is above", access("../inner", F_OK));
    result("what is further above", access("../../../inner", F_OK));
    must(getcwd(path, sizeof path) ? 0 : -1);
    tell("here", "%s", path);
    result("a link to the root", access("up/inner", F_OK));
    result("an absolute link", access("absolute", F_OK));
    result("a descriptor leads out", fchdir(outside));
    result("to what is there", access("file", F_OK));
}

int main(void) {
    chmod(".", 0755);
    close(make_file("file", "text"));
    must(mkdir("folder", 0755));
    must(mkdir("folder/inner", 0755));
    must(symlink("../../..", "folder/up"));
    must(symlink("/inner", "folder/absolute"));
    in_child("names", name_the_system);
    in_child("as a user", name_it_as_a_user);
    in_child("roots", change_the_root);
}
