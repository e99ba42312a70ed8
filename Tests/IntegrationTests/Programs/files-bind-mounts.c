// A folder or file that is mounted once more shows the same files under other names: MS_BIND.
#include "facts.h"
#include <dirent.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>

static char place[] = "/dev/shm/binds-XXXXXX";

static void where(const char *what) {
    char path[300];
    if (!getcwd(path, sizeof path)) result(what, -1);
    else printf("%s: %s\n", what, strncmp(path, place, strlen(place)) ? path : path + strlen(place));
}

static void list(const char *path) {
    struct dirent *entry;
    char names[20][20];
    int count = 0;
    DIR *folder = opendir(path);
    while ((entry = readdir(folder)) && count < 20)
        if (entry->d_name[0] != '.') strcpy(names[count++], entry->d_name);
    closedir(folder);
    qsort(names, count, 20, (int (*)(const void *, const void *))strcmp);
    printf("%s:", path);
    for (int i = 0; i < count; i++) printf(" %s", names[i]);
    printf("\n");
}

static void show(void) {
    char line[500];
    FILE *file = fopen("/proc/self/mounts", "r");
    while (fgets(line, sizeof line, file)) {
        char *at = strstr(line, place), *end;
        if (!at) continue;
        at += strlen(place);
        end = strchr(at, ' ');
        printf("  %.*s\n", (int)(end - at), at);
    }
    fclose(file);
    file = fopen("/proc/self/mountinfo", "r");
    while (fgets(line, sizeof line, file)) {
        int used;
        if (!strstr(line, place) || sscanf(line, "%*d %*d %*d:%*d %n", &used) != 0) continue;
        char *root = line + used, *end = strchr(root, ' ');
        char *tail = strstr(root, "binds-");
        printf("  root %.*s\n", tail && tail < end ? (int)(end - tail - 12) : (int)(end - root),
            tail && tail < end ? tail + 12 : root);
    }
    fclose(file);
}

int main(void) {
    unshare(CLONE_NEWNS);
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    if (!mkdtemp(place)) return 1;
    must(chmod(place, 0755));
    must(chdir(place));
    must(mkdir("source", 0755));
    must(mkdir("source/deep", 0755));
    must(mkdir("source/deep/deeper", 0755));
    must(mkdir("bound", 0755));
    close(make_file("source/file", "text"));
    close(make_file("bound/hidden", ""));
    result("bind", mount("source", "bound", NULL, MS_BIND, NULL));
    show();
    list("bound");
    struct stat first, second;
    must(stat("source/file", &first));
    must(stat("bound/file", &second));
    fact("same file", first.st_ino == second.st_ino && first.st_dev == second.st_dev);
    must(chdir("bound/deep/deeper"));
    where("inside");
    must(chdir(".."));
    where("up");
    must(chdir("../.."));
    where("out");
    must(chdir(place));

    int file = must(open("bound/new", O_CREAT | O_RDWR, 0644));
    must(write(file, "new", 3));
    char path[300], shown[30];
    snprintf(shown, sizeof shown, "/proc/self/fd/%d", file);
    ssize_t count = readlink(shown, path, sizeof path - 1);
    path[count] = 0;
    printf("open as %s\n", path + strlen(place));
    close(file);
    result("there too", access("source/new", R_OK));
    must(mkdir("bound/folder", 0755));
    must(rename("bound/new", "bound/folder/renamed"));
    must(symlink("file", "bound/link"));
    must(linkat(AT_FDCWD, "bound/file", AT_FDCWD, "bound/second", 0));
    list("source");
    list("bound/folder");
    result("rename across", rename("bound/file", "source/across"));
    result("link across", linkat(AT_FDCWD, "bound/file", AT_FDCWD, "source/across", 0));
    result("unlink", unlink("bound/second"));
    result("unlink the renamed", unlink("source/folder/renamed"));
    result("gone there", access("bound/folder/renamed", F_OK));
    result("remove", rmdir("bound/folder"));
    result("through the link", access("bound/link", R_OK));
    must(unlink("bound/link"));
    result("the mount point", rmdir("bound"));
    list("bound");

    must(mkdir("source/mounted", 0755));
    result("mount inside", mount("none", "bound/mounted", "tmpfs", 0, NULL));
    close(make_file("bound/mounted/only", ""));
    result("seen there", access("bound/mounted/only", F_OK));
    result("not here", access("source/mounted/only", F_OK));
    result("busy", umount("bound"));
    must(umount("bound/mounted"));

    result("mount in the source", mount("none", "source/mounted", "tmpfs", 0, NULL));
    close(make_file("source/mounted/inner", ""));
    result("not in the bind", access("bound/mounted/inner", F_OK));
    must(mkdir("all", 0755));
    result("with what is below", mount("source", "all", NULL, MS_BIND | MS_REC, NULL));
    result("seen", access("all/mounted/inner", F_OK));
    show();
    result("gone at once", umount2("all", MNT_DETACH));
    must(umount("source/mounted"));

    close(make_file("target", "hidden"));
    result("a file", mount("source/file", "target", NULL, MS_BIND, NULL));
    char text[10] = "";
    file = must(open("target", O_RDWR));
    result("read", read(file, text, 9));
    printf("%s\n", text);
    result("busy", umount("target"));
    close(file);
    result("unlink it", unlink("target"));
    must(umount("target"));
    result("folder on a file", mount("source", "target", NULL, MS_BIND, NULL));
    result("file on a folder", mount("target", "source", NULL, MS_BIND, NULL));
    result("no source", mount("missing", "source", NULL, MS_BIND, NULL));
    result("empty source", mount(NULL, "source", NULL, MS_BIND, NULL));

    result("read only", mount(NULL, "bound", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV, NULL));
    result("write", open("bound/file", O_WRONLY));
    result("create", open("bound/made", O_WRONLY | O_CREAT, 0644));
    result("make", mkdir("bound/made", 0755));
    result("mode", chmod("bound/file", 0600));
    result("times", utimensat(AT_FDCWD, "bound/file", NULL, 0));
    result("size", truncate("bound/file", 1));
    result("unlink", unlink("bound/file"));
    result("rename", rename("bound/file", "bound/deep/file"));
    result("link", linkat(AT_FDCWD, "bound/file", AT_FDCWD, "bound/second", 0));
    result("unnamed", open("bound", O_TMPFILE | O_RDWR, 0600));
    result("writable", access("bound/file", W_OK));
    result("deeper", mkdir("bound/deep/made", 0755));
    file = must(open("bound/file", O_RDONLY));
    result("mode by descriptor", fchmod(file, 0600));
    close(file);
    result("the source is not", chmod("source/file", 0600));
    struct statfs status;
    must(statfs("source", &status));
    fact("read only there", status.f_flags & 1);
    must(statfs("bound", &status));
    tell("flags", "%lx", (long)status.f_flags);
    must(mknod("source/null", S_IFCHR | 0666, 0x103));
    result("no devices", open("bound/null", O_RDONLY));
    result("devices there", close(open("source/null", O_RDONLY)));
    must(unlink("source/null"));
    file = must(open("source/file", O_WRONLY));
    result("open there", mount(NULL, "bound", NULL, MS_REMOUNT | MS_BIND, NULL));
    result("writable again", close(open("bound/file", O_WRONLY)));
    close(file);

    must(chdir("bound/deep"));
    result("busy", umount("../../bound"));
    result("lazily", umount2("../../bound", MNT_DETACH));
    must(chdir(place));
    list("bound");
    result("umount again", umount("bound"));

    must(mount("source", "source", NULL, MS_BIND, NULL));
    must(mkdir("source/old", 0755));
    must(chdir("source"));
    result("pivot", syscall(SYS_pivot_root, ".", "old"));
    must(chdir("/"));
    where("root");
    list("/");
    char old[80];
    snprintf(old, sizeof old, "/old%s/bound/hidden", place);
    result("the old", access(old, F_OK));
    int shared = must(open("/old/dev/shm", O_RDONLY));
    must(umount2("/old", MNT_DETACH));
    const char *names[] = {"bound/hidden", "target", "source/file"};
    const char *folders[] = {"bound", "all", "source/mounted", "source/old", "source/deep/deeper",
        "source/deep", "source", ""};
    for (int i = 0; i < 3; i++) {
        snprintf(old, sizeof old, "%s/%s", place + 9, names[i]);
        unlinkat(shared, old, 0);
    }
    for (int i = 0; i < 8; i++) {
        snprintf(old, sizeof old, "%s/%s", place + 9, folders[i]);
        unlinkat(shared, old, AT_REMOVEDIR);
    }
    return 0;
}
