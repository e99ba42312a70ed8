// Extended attributes of files, folders, links and what has none: xattr(7), on a tmpfs.
#include "facts.h"
#include <dirent.h>
#include <sys/eventfd.h>
#include <sys/xattr.h>

static char buffer[70000];

static void show(const char *name, long count) {
    result(name, count);
    for (long i = 0; i < count; i += strlen(buffer + i) + 1) printf("  %.40s\n", buffer + i);
}

static void values(void) {
    int file = make_file("file", "text");
    result("set", setxattr("file", "user.one", "first", 5, 0));
    result("create again", setxattr("file", "user.one", "x", 1, XATTR_CREATE));
    result("replace", setxattr("file", "user.one", "second", 6, XATTR_REPLACE));
    result("replace none", setxattr("file", "user.none", "x", 1, XATTR_REPLACE));
    result("both flags", setxattr("file", "user.none", "x", 1, XATTR_CREATE | XATTR_REPLACE));
    result("another flag", setxattr("file", "user.none", "x", 1, 4));
    result("get", getxattr("file", "user.one", buffer, sizeof buffer));
    printf("value: %.6s\n", buffer);
    result("its size", getxattr("file", "user.one", NULL, 0));
    result("too short", getxattr("file", "user.one", buffer, 5));
    result("none", getxattr("file", "user.two", buffer, 5));
    result("by descriptor", fgetxattr(file, "user.one", buffer, 6));
    result("empty value", fsetxattr(file, "user.empty", NULL, 0, 0));
    result("empty is there", fgetxattr(file, "user.empty", buffer, 6));
    result("trusted", fsetxattr(file, "trusted.a", "12", 2, 0));
    result("security", fsetxattr(file, "security.b", "123", 3, 0));
    result("user", fsetxattr(file, "user.zebra", "1234", 4, 0));
    show("list", flistxattr(file, buffer, sizeof buffer));
    result("list's size", listxattr("file", NULL, 0));
    result("list too short", listxattr("file", buffer, 10));
    result("remove", removexattr("file", "user.one"));
    result("remove again", removexattr("file", "user.one"));
    result("remove by descriptor", fremovexattr(file, "user.empty"));
    show("list", listxattr("file", buffer, sizeof buffer));
    result("link", link("file", "other"));
    result("by another name", getxattr("other", "trusted.a", buffer, 9));
    result("rename", rename("other", "moved"));
    result("by a new name", getxattr("moved", "trusted.a", buffer, 9));
    close(file);
}

static void errors(void) {
    static char name[300] = "user.";
    memset(name + 5, 'n', 294);
    result("name too long", setxattr("file", name, "", 1, 0));
    name[255] = 0;
    result("longest name", setxattr("file", name, "", 1, 0));
    result("and gone", removexattr("file", name));
    result("empty name", setxattr("file", "", "", 1, 0));
    result("only a prefix", setxattr("file", "user.", "", 1, 0));
    result("no prefix", setxattr("file", "name", "", 1, 0));
    result("get without prefix", getxattr("file", "name", buffer, 1));
    result("other system", setxattr("file", "system.other", "", 1, 0));
    result("largest", setxattr("file", "user.large", buffer, 65536, 0));
    result("larger", setxattr("file", "user.large", buffer, 65537, 0));
    result("get largest", getxattr("file", "user.large", buffer, sizeof buffer));
    result("get larger", getxattr("file", "user.large", buffer, 65535));
    result("bad name", setxattr("file", (char *)8, "", 1, 0));
    result("bad value", setxattr("file", "user.a", (char *)8, 1, 0));
    result("bad buffer", getxattr("file", "trusted.a", (char *)8, 9));
    result("bad list", listxattr("file", (char *)8, 4000));
    result("bad path", getxattr((char *)8, "user.a", buffer, 9));
    result("bad name before path", getxattr("missing", (char *)8, buffer, 9));
    result("no file", getxattr("missing", "user.a", buffer, 9));
    result("no list", listxattr("missing", buffer, 9));
    result("no file to remove", removexattr("missing", "user.a"));
    result("no descriptor", fgetxattr(99, "user.a", buffer, 9));
    result("name before descriptor", fsetxattr(99, "", buffer, 9, 0));
    int place = open("file", O_PATH);
    result("get from O_PATH", fgetxattr(place, "user.a", buffer, 9));
    result("list of O_PATH", flistxattr(place, buffer, 9));
    result("set in O_PATH", fsetxattr(place, "user.a", buffer, 9, 0));
    close(place);
    result("capabilities without form", setxattr("file", "security.capability", "12", 2, 0));
    unsigned capabilities[5] = {0x02000001, 1, 0, 0, 0};
    result("capabilities", setxattr("file", "security.capability", capabilities, 20, 0));
    result("and back", getxattr("file", "security.capability", buffer, 24));
}

static void kinds(void) {
    must(mkdir("folder", 0755));
    must(symlink("file", "link"));
    must(mkfifo("fifo", 0644));
    result("folder", setxattr("folder", "user.a", "1", 1, 0));
    result("link itself", lsetxattr("link", "user.a", "1", 1, 0));
    result("link itself, get", lgetxattr("link", "user.a", buffer, 1));
    result("link, trusted", lsetxattr("link", "trusted.l", "1", 1, 0));
    show("of the link", llistxattr("link", buffer, sizeof buffer));
    result("through the link", getxattr("link", "trusted.a", buffer, 9));
    result("remove of the link", lremovexattr("link", "trusted.l"));
    result("fifo, user", setxattr("fifo", "user.a", "1", 1, 0));
    result("fifo, get", getxattr("fifo", "user.a", buffer, 1));
    result("fifo, trusted", setxattr("fifo", "trusted.a", "1", 1, 0));
    result("proc, set", setxattr("/proc/self/stat", "user.a", "1", 1, 0));
    result("proc, get", getxattr("/proc/self/stat", "user.a", buffer, 1));
    result("proc, trusted", getxattr("/proc/self/stat", "trusted.a", buffer, 1));
    result("proc, list", listxattr("/proc/self/stat", buffer, 9));
    int ends[2];
    must(pipe(ends));
    result("pipe, set", fsetxattr(ends[0], "user.a", "1", 1, 0));
    result("pipe, get", fgetxattr(ends[0], "user.a", buffer, 1));
    result("pipe, trusted", fsetxattr(ends[0], "trusted.a", "1", 1, 0));
    result("pipe, list", flistxattr(ends[0], buffer, 9));
    int event = eventfd(0, 0);
    result("eventfd, remove", fremovexattr(event, "trusted.a"));
    int memory = memfd_create("name", 0);
    result("memfd", fsetxattr(memory, "user.a", "1", 1, 0));
    result("memfd, get", fgetxattr(memory, "user.a", buffer, 9));
}

static void others(void) {
    must(chmod("file", 0604));
    must(mkdir("sticky", 0777));
    must(chmod("sticky", 01777));
    must(seteuid(1000));
    result("other's user", setxattr("file", "user.b", "1", 1, 0));
    result("other's user, get", getxattr("file", "user.zebra", buffer, 9));
    result("trusted", setxattr("file", "trusted.b", "1", 1, 0));
    result("trusted, get", getxattr("file", "trusted.a", buffer, 9));
    result("security", setxattr("file", "security.c", "1", 1, 0));
    result("security, get", getxattr("file", "security.b", buffer, 9));
    result("security, remove", removexattr("file", "security.b"));
    result("no prefix", setxattr("file", "name", "1", 1, 0));
    result("sticky", setxattr("sticky", "user.a", "1", 1, 0));
    show("list", listxattr("file", buffer, sizeof buffer));
    must(seteuid(0));
    must(chmod("file", 0600));
    must(seteuid(1000));
    result("unreadable", getxattr("file", "user.zebra", buffer, 9));
    result("unreadable list", listxattr("file", NULL, 0));
    must(seteuid(0));
}

static void many(void) {
    int file = make_file("many", "");
    char name[32];
    int set = 0;
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "trusted.%c.number-%d", 'a' + i * 7 % 26, i * 7919 % 3000);
        set += fsetxattr(file, name, name, strlen(name), 0) == 0;
    }
    fact("set", set);
    result("list of many", flistxattr(file, buffer, sizeof buffer));
    result("list of more, short", flistxattr(file, buffer, 100));
    long wrong = 0;
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "trusted.%c.number-%d", 'a' + i * 7 % 26, i * 7919 % 3000);
        wrong += fgetxattr(file, name, buffer, 100) != (long)strlen(name);
        if (i % 3) wrong += fremovexattr(file, name) != 0;
    }
    fact("wrong", wrong);
    long count = flistxattr(file, buffer, sizeof buffer);
    fact("bytes left", count);
    unsigned long sum = 0;
    for (long i = 0; i < count; i++) sum = sum * 31 + (unsigned char)buffer[i];
    tell("their order", "%lx", sum);
}

int main(void) {
    char folder[] = "/dev/shm/attributes-XXXXXX";
    if (!mkdtemp(folder)) return 1;
    must(chdir(folder));
    must(chmod(folder, 0755));
    values();
    errors();
    kinds();
    others();
    many();
    const char *names[] = {"file", "moved", "link", "fifo", "many"};
    for (int i = 0; i < 5; i++) must(unlink(names[i]));
    must(rmdir("folder"));
    must(rmdir("sticky"));
    must(rmdir(folder));
    return 0;
}
