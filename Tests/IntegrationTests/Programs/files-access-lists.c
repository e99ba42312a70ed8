// Access lists, acl(5): what they say with a mode, whom they let in, and what new files take over.
#include "facts.h"
#include <grp.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define FOR_NEW "system.posix_acl_default"
#define OWNER 1
#define USER 2
#define OWNING 4
#define GROUP 8
#define MASK 16
#define OTHERS 32

struct entry { uint16_t tag, permissions; uint32_t id; };
static struct { uint32_t version; struct entry entries[16]; } list;
static int count;

static void begin(void) { list.version = 2; count = 0; }

static void add(int tag, int permissions, uint32_t id) {
    list.entries[count++] = (struct entry){tag, permissions, id};
}

static long set(const char *path, const char *name) {
    return setxattr(path, name, &list, 4 + 8 * count, 0);
}

static void show(const char *path, const char *name) {
    struct { uint32_t version; struct entry entries[16]; } found;
    long size = getxattr(path, name, &found, sizeof found);
    result(path, size);
    for (long i = 0; i < (size - 4) / 8; i++)
        printf("  %d %o %d\n", found.entries[i].tag, found.entries[i].permissions,
            (int)found.entries[i].id);
}

static void mode(const char *path) {
    struct stat status;
    must(stat(path, &status));
    printf("%s: mode %o\n", path, status.st_mode & 07777);
}

static void usual(void) {
    begin();
    add(OWNER, 6, -1);
    add(USER, 6, 1000);
    add(USER, 4, 1001);
    add(OWNING, 0, -1);
    add(GROUP, 4, 2000);
    add(MASK, 4, -1);
    add(OTHERS, 0, -1);
}

static void as(int user, int group, const char *path) {
    must(setegid(group));
    must(seteuid(user));
    printf("%d:%d reads %s, writes ", user, group, error_name(access(path, R_OK) ? errno : 0));
    int file = open(path, O_RDONLY);
    int other = open(path, O_WRONLY);
    printf("%d %d\n", file >= 0, other >= 0);
    if (file >= 0) close(file);
    if (other >= 0) close(other);
    must(seteuid(0));
    must(setegid(0));
}

int main(void) {
    char folder[] = "/dev/shm/lists-XXXXXX";
    if (!mkdtemp(folder)) return 1;
    must(chmod(folder, 0755));
    must(chdir(folder));
    umask(022);
    close(make_file("file", "text"));

    begin();
    add(OWNER, 7, -1);
    add(OWNING, 5, -1);
    add(OTHERS, 1, -1);
    result("a mode", set("file", ACCESS));
    mode("file");
    show("file", ACCESS);

    usual();
    result("a list", set("file", ACCESS));
    mode("file");
    show("file", ACCESS);
    int users[][2] = {{0, 0}, {1000, 1000}, {1001, 1000}, {1002, 2000}, {1002, 0}, {1002, 1002}};
    for (int i = 0; i < 6; i++) as(users[i][0], users[i][1], "file");
    must(chmod("file", 0660));
    show("file", ACCESS);
    for (int i = 0; i < 6; i++) as(users[i][0], users[i][1], "file");
    must(chmod("file", 0606));
    for (int i = 0; i < 6; i++) as(users[i][0], users[i][1], "file");
    must(setgroups(1, (gid_t[]){2000}));
    must(chmod("file", 0640));
    as(1002, 1002, "file");
    must(setgroups(0, NULL));
    result("remove", removexattr("file", ACCESS));
    result("remove again", removexattr("file", ACCESS));
    mode("file");

    must(seteuid(1000));
    result("of another", set("file", ACCESS));
    must(seteuid(0));
    result("for new files of a file", set("file", FOR_NEW));
    begin();
    result("no entries", set("file", ACCESS));
    add(OWNER, 7, -1);
    result("too few", set("file", ACCESS));
    usual();
    list.entries[5].tag = OTHERS;
    list.entries[6].tag = MASK;
    result("out of order", set("file", ACCESS));
    usual();
    list.entries[0].permissions = 8;
    result("permissions", set("file", ACCESS));
    usual();
    list.entries[2].tag = 64;
    result("unknown tag", set("file", ACCESS));
    usual();
    count = 5;
    add(OTHERS, 0, -1);
    result("without mask", set("file", ACCESS));
    list.version = 3;
    result("version", set("file", ACCESS));
    list.version = 2;
    result("half an entry", setxattr("file", ACCESS, &list, 15, 0));
    must(symlink("file", "link"));
    result("link", lsetxattr("link", ACCESS, &list, 4, 0));
    result("link, get", lgetxattr("link", ACCESS, &list, 4));

    must(mkdir("inner", 0777));
    usual();
    list.entries[5].permissions = 7;
    list.entries[4].permissions = 7;
    result("for new files", set("inner", FOR_NEW));
    mode("inner");
    show("inner", FOR_NEW);
    show("inner", ACCESS);
    close(must(open("inner/file", O_CREAT | O_RDWR, 0664)));
    mode("inner/file");
    show("inner/file", ACCESS);
    show("inner/file", FOR_NEW);
    must(mkdir("inner/folder", 0750));
    mode("inner/folder");
    show("inner/folder", ACCESS);
    show("inner/folder", FOR_NEW);
    must(mkfifo("inner/fifo", 0600));
    mode("inner/fifo");
    must(symlink("x", "inner/link"));
    int unnamed = open("inner", O_TMPFILE | O_RDWR, 0666);
    struct stat status;
    must(fstat(unnamed, &status));
    printf("unnamed: %o\n", status.st_mode & 0777);
    begin();
    add(OWNER, 7, -1);
    add(OWNING, 5, -1);
    add(OTHERS, 0, -1);
    result("a mode for new files", set("inner", FOR_NEW));
    close(must(open("inner/plain", O_CREAT | O_RDWR, 0666)));
    mode("inner/plain");
    show("inner/plain", ACCESS);
    result("none for new files", removexattr("inner", FOR_NEW));
    close(must(open("inner/usual", O_CREAT | O_RDWR, 0666)));
    mode("inner/usual");

    const char *names[] = {"inner/file", "inner/fifo", "inner/link", "inner/plain", "inner/usual",
        "file", "link"};
    for (int i = 0; i < 7; i++) must(unlink(names[i]));
    must(rmdir("inner/folder"));
    must(rmdir("inner"));
    must(rmdir(folder));
    return 0;
}
