// File systems are mounted, remounted, moved and unmounted: mount(2), umount2(2), pivot_root(2).
#include "facts.h"
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

static char place[] = "/dev/shm/mounts-XXXXXX";

// Lines of a table of mounts that are of this program, without what differs.
static void show(const char *title) {
    char line[500];
    FILE *file = fopen("/proc/self/mounts", "r");
    printf("%s:\n", title);
    while (fgets(line, sizeof line, file)) {
        char *at = strstr(line, place);
        if (!at) continue;
        char *last = strstr(line, ",inode64");
        if (last) memmove(last, last + 8, strlen(last + 8) + 1);
        printf("  %.*s*%s", (int)(at - line), line, at + strlen(place));
    }
    fclose(file);
}

static void information(void) {
    char line[500];
    int id, parent, major, minor, used;
    struct stat status;
    must(stat("inner", &status));
    FILE *file = fopen("/proc/self/mountinfo", "r");
    while (fgets(line, sizeof line, file)) {
        char *at = strstr(line, place);
        if (!at || sscanf(line, "%d %d %d:%d %n", &id, &parent, &major, &minor, &used) != 4) continue;
        printf("%.2s *%.9s, device %d, parent %d\n", line + used, at + strlen(place),
            makedev(major, minor) == status.st_dev, parent != id);
    }
    fclose(file);
}

static void flags(const char *title) {
    struct statfs status;
    must(statfs("inner", &status));
    printf("%s: type %lx flags %lx blocks %d\n", title, (long)status.f_type,
        (long)status.f_flags, status.f_blocks == 256);
}

static void mounting(void) {
    must(mkdir("inner", 0755));
    close(make_file("inner/below", ""));
    result("mount", mount("some thing", "inner", "tmpfs", MS_NOSUID, "size=1m,mode=750,uid=5,gid=6"));
    struct stat status;
    must(stat("inner", &status));
    printf("mode %o of %d %d\n", status.st_mode, status.st_uid, status.st_gid);
    result("below is hidden", access("inner/below", F_OK));
    show("mounted");
    information();
    flags("mounted");
    int file = make_file("inner/file", "text");
    result("other device", link("inner/file", "file"));
    result("rename to it", rename("inner/file", "file"));
    result("remove the mount point", rmdir("inner"));
    result("rename the mount point", rename("inner", "other"));
    result("fill", ftruncate(file, 0) + fallocate(file, 0, 0, 2 << 20));
    result("busy", umount("inner"));
    close(file);
    result("busy as read only", chdir("inner") || umount2(".", 0));
    must(chdir(".."));
    result("umount", umount("inner"));
    result("again", umount("inner"));
    result("below is back", access("inner/below", F_OK));
    show("unmounted");
}

static void changing(void) {
    result("mount", mount("none", "inner", "tmpfs", MS_NODEV | MS_NOEXEC | MS_NOATIME, NULL));
    show("flags");
    flags("flags");
    must(mknod("inner/null", S_IFCHR | 0666, makedev(1, 3)));
    result("no devices", open("inner/null", O_RDONLY));
    close(make_file("inner/script", "#!/bin/sh\n"));
    must(chmod("inner/script", 0755));
    result("no programs", execl("inner/script", "script", (char *)NULL));
    int file = must(open("inner/script", O_RDONLY));
    outcome("no code", (long)mmap(NULL, 10, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0));
    close(file);
    file = must(open("inner/script", O_WRONLY));
    result("open for writing", mount(NULL, "inner", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    close(file);
    result("read only", mount(NULL, "inner", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    show("read only");
    result("write", open("inner/script", O_WRONLY));
    result("create", open("inner/new", O_WRONLY | O_CREAT, 0644));
    result("remove", unlink("inner/script"));
    result("mode", chmod("inner/script", 0700));
    result("writable", access("inner/script", W_OK));
    result("writable again", mount(NULL, "inner", NULL, MS_REMOUNT, "size=2m"));
    show("again");
    result("create", close(open("inner/new", O_WRONLY | O_CREAT, 0644)));
    result("remount a folder", mount(NULL, place, NULL, MS_REMOUNT, NULL));
    result("bad option", mount(NULL, "inner", NULL, MS_REMOUNT, "colour=blue"));
    must(mkdir("other", 0755));
    must(mkdir("inner/deep", 0755));
    result("mount inside", mount("none", "inner/deep", "tmpfs", 0, NULL));
    result("busy inside", umount("inner"));
    result("move", mount("inner", "other", NULL, MS_MOVE, NULL));
    show("moved");
    result("into itself", mount("other", "other/deep", NULL, MS_MOVE, NULL));
    result("not mounted", mount("inner", "other", NULL, MS_MOVE, NULL));
    result("private", mount(NULL, "other", NULL, MS_PRIVATE, NULL));
    result("two kinds", mount(NULL, "other", NULL, MS_PRIVATE | MS_SLAVE, NULL));
    file = must(open("other/new", O_RDWR));
    result("lazily", umount2("other", MNT_DETACH));
    show("detached");
    result("still writes", write(file, "text", 4));
    close(file);
    must(rmdir("other"));
}

static void errors(void) {
    result("no such type", mount("none", "inner", "nonesuch", 0, NULL));
    result("no type", mount("none", "inner", NULL, 0, NULL));
    result("no place", mount("none", "missing", "tmpfs", 0, NULL));
    close(make_file("file", ""));
    result("on a file", mount("none", "file", "tmpfs", 0, NULL));
    result("bad option", mount("none", "inner", "tmpfs", 0, "colour=blue"));
    result("bad size", mount("none", "inner", "tmpfs", 0, "size=big"));
    result("bad place", mount("none", (char *)8, "tmpfs", 0, NULL));
    result("bad type", mount("none", "inner", (char *)8, 0, NULL));
    result("unmount nothing", umount("inner"));
    result("unmount missing", umount("missing"));
    result("unmount flags", umount2("inner", 16));
    must(seteuid(1000));
    result("other mounts", mount("none", "inner", "tmpfs", 0, NULL));
    result("other unmounts", umount("inner"));
    must(seteuid(0));
    result("expire and force", (must(mount("none", "inner", "tmpfs", 0, NULL)),
        umount2("inner", MNT_EXPIRE | MNT_FORCE)));
    result("expire", umount2("inner", MNT_EXPIRE));
    result("expire again", umount2("inner", MNT_EXPIRE));
    result("proc", mount("proc", "inner", "proc", 0, NULL));
    result("its self", access("inner/self/stat", R_OK));
    must(umount("inner"));
    result("twice", mount("a", "inner", "tmpfs", 0, NULL) + mount("b", "inner", "tmpfs", 0, NULL));
    show("two");
    must(umount("inner"));
    must(umount("inner"));
    must(unlink("file"));
}

static void watching(void) {
    must(mount("none", "inner", "tmpfs", 0, NULL));
    close(make_file("inner/file", ""));
    int notices = must(inotify_init1(IN_NONBLOCK));
    must(inotify_add_watch(notices, "inner/file", IN_ALL_EVENTS));
    must(umount("inner"));
    char buffer[1000];
    long count = read(notices, buffer, sizeof buffer);
    for (long at = 0; at < count; at += 16)
        printf("told %x\n", ((struct inotify_event *)(buffer + at))->mask);
    close(notices);
}

static void handles(void) {
    struct { struct file_handle handle; char bytes[128]; } file = {{.handle_bytes = 4}}, other;
    int number;
    close(make_file("named", "by number"));
    result("too small", name_to_handle_at(AT_FDCWD, "named", &file.handle, &number, 0));
    fact("needs", file.handle.handle_bytes);
    result("handle", name_to_handle_at(AT_FDCWD, "named", &file.handle, &number, 0));
    tell("type", "%d of %d", file.handle.handle_type, file.handle.handle_bytes);
    must(rename("named", "renamed"));
    int opened = open_by_handle_at(AT_FDCWD, &file.handle, O_RDONLY);
    char text[20] = "";
    result("read", read(opened, text, 19));
    printf("%s\n", text);
    close(opened);
    must(unlink("renamed"));
    result("stale", open_by_handle_at(AT_FDCWD, &file.handle, O_RDONLY));
    other.handle.handle_bytes = 128;
    result("of proc", name_to_handle_at(AT_FDCWD, "/proc/self/stat", &other.handle, &number, 0));
    result("flags", name_to_handle_at(AT_FDCWD, ".", &other.handle, &number, 0x4000));
    other.handle.handle_bytes = 129;
    result("too large", name_to_handle_at(AT_FDCWD, ".", &other.handle, &number, 0));
    result("no path", name_to_handle_at(AT_FDCWD, "missing", &other.handle, &number, 0));
    result("no descriptor", open_by_handle_at(99, &file.handle, O_RDONLY));
    must(seteuid(1000));
    result("other", open_by_handle_at(AT_FDCWD, &file.handle, O_RDONLY));
    must(seteuid(0));
}

static void pivoting(void) {
    must(mount("root", "inner", "tmpfs", 0, NULL));
    must(mkdir("inner/old", 0755));
    must(mkdir("inner/proc", 0755));
    result("not below", syscall(SYS_pivot_root, "inner", "."));
    result("no folder", syscall(SYS_pivot_root, "inner", "missing"));
    must(chdir("inner"));
    result("pivot", syscall(SYS_pivot_root, ".", "old"));
    must(chdir("/"));
    result("the old is there", access("old/proc/self", F_OK));
    result("no proc", access("/proc/self", F_OK));
    must(mount("proc", "/proc", "proc", 0, NULL));
    char line[300];
    FILE *file = fopen("/proc/self/mounts", "r");
    for (int i = 0; fgets(line, sizeof line, file); i++)
        if (!strncmp(line, "root ", 5)) printf("%.14s\n", line);
    fclose(file);
    result("the old goes", umount2("/old", MNT_DETACH));
    result("it is gone", rmdir("/old"));
    file = fopen("/proc/self/mounts", "r");
    int count = 0;
    while (fgets(line, sizeof line, file)) count++;
    fact("mounts", count);
    fclose(file);
}

int main(void) {
    unshare(CLONE_NEWNS);
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    if (!mkdtemp(place)) return 1;
    must(chmod(place, 0755));
    must(chdir(place));
    mounting();
    changing();
    errors();
    watching();
    handles();
    must(unlink("inner/below"));
    must(rmdir("inner"));
    must(mkdir("inner", 0755));
    int shared = must(open("/dev/shm", O_RDONLY));
    pivoting();
    char path[60];
    snprintf(path, sizeof path, "%s/inner", place + 9);
    unlinkat(shared, path, AT_REMOVEDIR);
    unlinkat(shared, place + 9, AT_REMOVEDIR);
    return 0;
}
