// What inotify(7) tells of files and folders, and in which order.
#include "facts.h"
#include <dirent.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>

#ifndef RENAME_EXCHANGE
#define RENAME_EXCHANGE 2
#endif
#define renameat2(...) syscall(SYS_renameat2, __VA_ARGS__)

static int notices;
static char buffer[65536] __attribute__((aligned(8)));

static const char *names[] = {"ACCESS", "MODIFY", "ATTRIB", "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN",
    "MOVED_FROM", "MOVED_TO", "CREATE", "DELETE", "DELETE_SELF", "MOVE_SELF", "?", "UNMOUNT",
    "Q_OVERFLOW", "IGNORED"};

static void tell_events(const char *title) {
    printf("%s:\n", title);
    uint32_t cookie = 0;
    while (1) {
        long count = read(notices, buffer, sizeof buffer);
        if (count <= 0) break;
        for (long at = 0; at < count;) {
            struct inotify_event *event = (struct inotify_event *)(buffer + at);
            printf("  %d", event->wd);
            for (int bit = 0; bit < 16; bit++)
                if (event->mask & 1u << bit) printf(" %s", names[bit]);
            if (event->mask & IN_ISDIR) printf(" ISDIR");
            if (event->mask & ~(IN_ISDIR | 0xffff)) printf(" %x", event->mask);
            if (event->len) printf(" %s (%d)", event->name, event->len);
            if (event->cookie) printf(event->cookie == cookie ? " same" : " cookie");
            cookie = event->cookie;
            printf("\n");
            at += sizeof *event + event->len;
        }
    }
}

static void fresh(void) {
    if (notices) close(notices);
    notices = must(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
}

static void folder(void) {
    fresh();
    must(mkdir("folder", 0755));
    result("watch", inotify_add_watch(notices, "folder", IN_ALL_EVENTS));
    int file = must(open("folder/file", O_CREAT | O_RDWR, 0644));
    tell_events("create");
    must(write(file, "text", 4));
    must(write(file, "more", 4));
    must(pread(file, buffer, 4, 0));
    must(read(file, buffer, 4));
    must(pwrite(file, "x", 1, 0));
    tell_events("written and read");
    must(ftruncate(file, 2));
    must(fchmod(file, 0600));
    must(fchown(file, 1, 1));
    must(futimens(file, NULL));
    struct timespec times[2] = {{1, 0}, {0, UTIME_OMIT}};
    must(futimens(file, times));
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_nsec = 0;
    must(futimens(file, times));
    must(fsetxattr(file, "trusted.a", "1", 1, 0));
    must(fremovexattr(file, "trusted.a"));
    must(fallocate(file, 0, 0, 100));
    tell_events("changed");
    int again = dup(file);
    close(file);
    tell_events("not closed");
    close(again);
    tell_events("closed");
    close(must(open("folder/file", O_RDONLY)));
    close(must(open("folder/file", O_WRONLY | O_TRUNC)));
    close(must(open("folder/file", O_PATH)));
    must(truncate("folder/file", 10));
    must(chmod("folder/file", 0644));
    tell_events("opened again");
    must(link("folder/file", "folder/other"));
    must(symlink("file", "folder/link"));
    must(mkfifo("folder/fifo", 0600));
    must(mkdir("folder/inner", 0755));
    tell_events("made");
    must(unlink("folder/other"));
    must(unlink("folder/link"));
    must(unlink("folder/fifo"));
    tell_events("removed");
    close(must(open("folder/inner/file", O_CREAT | O_WRONLY, 0644)));
    tell_events("below is not seen");
    must(unlink("folder/inner/file"));
    must(rmdir("folder/inner"));
    tell_events("folder removed");
    DIR *list = opendir("folder");
    while (readdir(list)) continue;
    closedir(list);
    tell_events("listed");
    must(chmod("folder", 0700));
    tell_events("folder changed");
    must(rename("folder/file", "folder/name"));
    tell_events("renamed");
    must(rename("folder/name", "outside"));
    must(rename("outside", "folder/back"));
    tell_events("out and in");
    close(must(open("folder/victim", O_CREAT | O_WRONLY, 0644)));
    tell_events("victim");
    must(rename("folder/back", "folder/victim"));
    tell_events("over another");
    must(rename("folder", "moved"));
    tell_events("folder itself moved");
    must(unlink("moved/victim"));
    must(rmdir("moved"));
    tell_events("folder itself removed");
    result("the watch is gone", inotify_rm_watch(notices, 1));
}

static void file(void) {
    fresh();
    close(make_file("file", "text"));
    result("watch a file", inotify_add_watch(notices, "file", IN_ALL_EVENTS));
    result("watch its folder", inotify_add_watch(notices, ".", IN_MODIFY | IN_DELETE | IN_MOVE));
    int opened = must(open("file", O_RDWR));
    must(write(opened, "x", 1));
    must(rename("file", "name"));
    tell_events("of both");
    must(link("name", "second"));
    must(unlink("name"));
    tell_events("still has a name");
    must(unlink("second"));
    tell_events("still open");
    close(opened);
    tell_events("gone");
    close(make_file("one", ""));
    close(make_file("two", ""));
    result("first", inotify_add_watch(notices, "one", IN_ALL_EVENTS));
    result("second", inotify_add_watch(notices, "two", IN_ALL_EVENTS));
    must(rename("one", "two"));
    tell_events("replaced");
    close(make_file("one", ""));
    must(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_EXCHANGE));
    tell_events("exchanged");
    must(unlink("one"));
    must(unlink("two"));
    tell_events("both removed");
}

static void masks(void) {
    fresh();
    close(make_file("file", "text"));
    must(mkdir("folder", 0755));
    must(symlink("file", "link"));
    int watch = inotify_add_watch(notices, "file", IN_OPEN);
    result("watch", watch);
    result("the same", inotify_add_watch(notices, "file", IN_CLOSE));
    close(must(open("file", O_RDONLY)));
    tell_events("replaced mask");
    result("added", inotify_add_watch(notices, "file", IN_OPEN | IN_MASK_ADD));
    close(must(open("file", O_RDONLY)));
    tell_events("added mask");
    result("create", inotify_add_watch(notices, "file", IN_OPEN | IN_MASK_CREATE));
    result("by link", inotify_add_watch(notices, "link", IN_OPEN | IN_MASK_ADD));
    result("link itself", inotify_add_watch(notices, "link", IN_ALL_EVENTS | IN_DONT_FOLLOW));
    result("create and add", inotify_add_watch(notices, "file", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD));
    result("only a folder", inotify_add_watch(notices, "file", IN_OPEN | IN_ONLYDIR));
    result("a folder", inotify_add_watch(notices, "folder", IN_OPEN | IN_ONLYDIR));
    result("no events", inotify_add_watch(notices, "file", 0));
    result("unknown bit", inotify_add_watch(notices, "file", IN_OPEN | 0x00800000));
    result("only flags", inotify_add_watch(notices, "file", IN_ONESHOT));
    result("missing", inotify_add_watch(notices, "missing", IN_OPEN));
    result("bad path", inotify_add_watch(notices, (char *)8, IN_OPEN));
    result("no descriptor", inotify_add_watch(99, "file", IN_OPEN));
    result("no inotify", inotify_add_watch(0, "file", IN_OPEN));
    result("remove from none", inotify_rm_watch(99, 1));
    result("remove from no inotify", inotify_rm_watch(0, 1));
    result("remove none", inotify_rm_watch(notices, 77));
    result("bad flags", inotify_init1(1));
    must(chmod("folder", 0700));
    must(seteuid(1000));
    result("not readable", inotify_add_watch(notices, "folder", IN_OPEN));
    must(seteuid(0));
    tell_events("nothing yet");
    result("once", inotify_add_watch(notices, "folder", IN_CREATE | IN_ONESHOT));
    close(make_file("folder/a", ""));
    close(make_file("folder/b", ""));
    tell_events("one event");
    result("removed already", inotify_rm_watch(notices, 3));
    result("again", inotify_add_watch(notices, "folder", IN_ALL_EVENTS | IN_EXCL_UNLINK));
    int opened = must(open("folder/a", O_RDWR));
    must(unlink("folder/a"));
    tell_events("unlinked");
    must(write(opened, "text", 4));
    close(opened);
    tell_events("not told");
    result("with them", inotify_add_watch(notices, "folder", IN_ALL_EVENTS));
    opened = must(open("folder/b", O_RDWR));
    must(unlink("folder/b"));
    must(write(opened, "text", 4));
    close(opened);
    tell_events("told");
    result("remove", inotify_rm_watch(notices, watch));
    result("remove again", inotify_rm_watch(notices, watch));
    tell_events("removed");
    result("number is new", inotify_add_watch(notices, "file", IN_OPEN));
    must(unlink("link"));
    must(unlink("file"));
    must(rmdir("folder"));
    tell_events("all");
}

static void reading(void) {
    fresh();
    close(make_file("file", "text"));
    must(inotify_add_watch(notices, ".", IN_ALL_EVENTS));
    struct pollfd entry = {notices, POLLIN | POLLOUT, 0};
    result("poll nothing", poll(&entry, 1, 0));
    result("read nothing", read(notices, buffer, 100));
    result("write", write(notices, buffer, 16));
    int file = must(open("file", O_RDWR));
    for (int i = 0; i < 5; i++) must(write(file, "x", 1));
    result("poll", poll(&entry, 1, 0));
    int bytes = 0;
    must(ioctl(notices, FIONREAD, &bytes));
    fact("waiting", bytes);
    result("too short", read(notices, buffer, 16));
    result("one", read(notices, buffer, 32));
    result("one and a half", read(notices, buffer, 50));
    result("nothing", read(notices, buffer, 50));
    int set = epoll_create1(0);
    struct epoll_event event = {EPOLLIN, {0}};
    must(epoll_ctl(set, EPOLL_CTL_ADD, notices, &event));
    result("epoll nothing", epoll_wait(set, &event, 1, 0));
    close(file);
    result("epoll", epoll_wait(set, &event, 1, 0));
    must(dup2(notices, 50));
    FILE *information = fopen("/proc/self/fdinfo/50", "r");
    while (fgets(buffer, 1000, information))
        if (!strncmp(buffer, "inotify", 7))
            printf("%.12s %.8s\n", buffer, strstr(buffer, "mask"));
    fclose(information);
    tell_events("rest");
    fresh();
    must(inotify_add_watch(notices, ".", IN_MODIFY | IN_OPEN));
    close(50);
    file = must(open("file", O_RDWR));
    for (int i = 0; i < 20000; i++) {
        must(write(file, "x", 1));
        close(must(open("file", O_RDONLY)));
    }
    long total = 0, overflows = 0, count;
    while ((count = read(notices, buffer, sizeof buffer)) > 0)
        for (long at = 0; at < count;) {
            struct inotify_event *event = (struct inotify_event *)(buffer + at);
            total++;
            if (event->mask & IN_Q_OVERFLOW) overflows += event->wd == -1;
            at += sizeof *event + event->len;
        }
    fact("events", total);
    fact("overflows", overflows);
    close(file);
    must(unlink("file"));
}

static void *later(void *unused) {
    sleep_ms(30);
    close(make_file("late", ""));
    return NULL;
}

static void waiting(void) {
    pthread_t thread;
    close(notices);
    notices = must(inotify_init());
    must(inotify_add_watch(notices, ".", IN_CREATE));
    pthread_create(&thread, NULL, later, NULL);
    struct inotify_event *event = (struct inotify_event *)buffer;
    result("waits", read(notices, buffer, 1000));
    printf("%x %s\n", event->mask, event->name);
    pthread_join(thread, NULL);
    must(unlink("late"));
    int opened[300], count = 0;
    while (count < 300 && (opened[count] = inotify_init()) >= 0) count++;
    printf("some instances fit: %d %s\n", count > 20 && count < 300, error_name(errno));
    while (count > 0) close(opened[--count]);
    close(notices);
    const char *limits[] = {"max_queued_events", "max_user_instances"};
    for (int i = 0; i < 2; i++) {
        snprintf(buffer, 100, "/proc/sys/fs/inotify/%s", limits[i]);
        FILE *file = fopen(buffer, "r");
        must(file ? 0 : -1);
        printf("%s %s", limits[i], fgets(buffer, 100, file));
        fclose(file);
    }
}

int main(void) {
    char place[] = "/dev/shm/inotify-XXXXXX";
    if (!mkdtemp(place)) return 1;
    must(chmod(place, 0755));
    must(chdir(place));
    folder();
    file();
    masks();
    reading();
    waiting();
    must(rmdir(place));
    return 0;
}
