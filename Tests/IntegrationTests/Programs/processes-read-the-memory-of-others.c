#include "facts.h"
#include <sys/uio.h>
#include <sys/wait.h>

static char text[32] = "the parent's own text";
static char *pages, *shared;
static char got[200000];

static long get(pid_t id, void *to, size_t length, void *from, size_t its) {
    struct iovec own = {to, length}, other = {from, its};
    return process_vm_readv(id, &own, 1, &other, 1, 0);
}
static long put(pid_t id, void *from, size_t length, void *to, size_t its) {
    struct iovec own = {from, length}, other = {to, its};
    return process_vm_writev(id, &own, 1, &other, 1, 0);
}

static void refuse(pid_t id) {
    struct iovec own = {got, 8}, other = {text, 8}, none = {got, 0}, negative = {got, -1};
    result("flags", process_vm_readv(id, &own, 1, &other, 1, 1));
    result("many", process_vm_readv(id, &own, 1025, &other, 1, 0));
    result("many others", process_vm_readv(id, &own, 1, &other, 1025, 0));
    result("nothing of many others", process_vm_readv(id, &none, 1, &other, 1025, 0));
    result("nothing own", process_vm_readv(999999, &none, 1, &other, 1, 0));
    result("nothing of others", process_vm_readv(999999, &own, 1, &none, 1, 0));
    result("nobody", process_vm_readv(999999, &own, 1, &other, 1, 0));
    result("nobody to write", process_vm_writev(999999, &own, 1, &other, 1, 0));
    result("list elsewhere", process_vm_readv(id, (void *)8, 1, &other, 1, 0));
    result("other list elsewhere", process_vm_readv(id, &own, 1, (void *)8, 1, 0));
    result("negative", process_vm_readv(id, &negative, 1, &other, 1, 0));
    result("negative of others", process_vm_readv(id, &own, 1, &negative, 1, 0));
    result("elsewhere", get(id, got, 8, (void *)16, 8));
    result("to elsewhere", get(id, (void *)16, 8, text, 8));
    result("write elsewhere", put(id, got, 8, (void *)16, 8));
    result("write from elsewhere", put(id, (void *)16, 8, text, 8));
}

static void several(pid_t id) {
    char a[5] = "", b[4] = "", c[64] = "";
    struct iovec own[] = {{a, 4}, {b, 0}, {b, 3}, {c, 63}};
    struct iovec other[] = {{text, 2}, {text, 0}, {text + 4, 6}, {text + 11, 5}};
    result("several", process_vm_readv(id, own, 4, other, 4, 0));
    tell("they are", "%s|%s|%s", a, b, c);
    struct iovec partly[] = {{text, 4}, {(void *)16, 4}, {text, 4}};
    result("second elsewhere", process_vm_readv(id, own, 4, partly, 3, 0));
    struct iovec ownly[] = {{a, 4}, {(void *)16, 4}};
    result("own second elsewhere", process_vm_readv(id, ownly, 2, other, 4, 0));
}

// What the child has, where the parent's is different by now.
static int child(int tell_parent, int hear) {
    char byte = 0;
    strcpy(text, "a child's text, written");
    memset(pages, 'c', 4096 * 40);
    mprotect(pages + 4096 * 3, 4096, PROT_NONE);
    mprotect(pages + 4096 * 6, 4096, PROT_READ);
    strcpy(shared, "seen by both");
    must(write(tell_parent, &byte, 1));
    must(read(hear, &byte, 1));
    tell("child's text", "%s", text);
    tell("child's pages", "%c%c%c", pages[4096 * 4], pages[4096 * 4 + 5], pages[4096 * 5]);
    // Now the child looks at its parent.
    pid_t parent = getppid();
    result("of the parent", get(parent, got, sizeof text, text, sizeof text));
    tell("parent's", "%s", got);
    result("fresh memory", get(parent, got, 8, pages + 4096 * 20, 8));
    fact("is zero", got[0] == 0 && got[7] == 0);
    return 0;
}

int main(void) {
    pid_t self = getpid();
    pages = map(4096 * 40, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    shared = map(4096 * 4, PROT_READ | PROT_WRITE, MAP_SHARED);
    result("own", get(self, got, 20, text, 20)), tell("text", "%s", got);
    result("of a thread", get(gettid(), got, 20, text, 20));
    result("own, written", put(self, "THE", 3, text, 3)), tell("text", "%s", text);
    refuse(self);
    several(self);
    result("shorter here", get(self, got, 3, text, 20));
    result("shorter there", get(self, got, 20, text, 3));

    int up[2], down[2], status;
    char byte = 0;
    must(pipe(up)), must(pipe(down));
    pid_t id = must(fork());
    if (id == 0) exit(child(up[1], down[0]));
    must(read(up[0], &byte, 1));
    memset(got, 0, sizeof got);
    result("child", get(id, got, 24, text, 24)), tell("text", "%s", got);
    tell("the parent's", "%s", text);
    result("shared", get(id, got, 13, shared, 13)), tell("text", "%s", got);
    result("shared, never touched", get(id, got, 13, shared + 8192, 13)), fact("byte", got[0]);
    result("to the end of pages", get(id, got, 4096 * 4, pages + 4096, 4096 * 4));
    tell("bytes", "%c%c", got[0], got[8191]);
    result("many pages", get(id, got, 4096 * 30, pages + 4096 * 10, 4096 * 30));
    tell("bytes", "%c%c", got[0], got[4096 * 30 - 1]);
    result("no access", get(id, got, 4, pages + 4096 * 3, 4));
    result("child's text, written", put(id, "A CHILD", 7, text, 7));
    result("pages, written", put(id, "hello", 5, pages + 4096 * 4, 5));
    memset(got, 'w', sizeof got);
    result("into what is read-only", put(id, got, 4096 * 2, pages + 4096 * 5, 4096 * 2));
    result("read-only", put(id, got, 4, pages + 4096 * 6, 4));
    refuse(id);
    several(id);
    must(write(down[1], &byte, 1));
    waitpid(id, &status, 0), fact("status", status);
    result("nobody any more", get(id, got, 4, text, 4));

    // A process that has ended has no memory, and one of another user's is not looked into.
    id = must(fork());
    if (id == 0) _exit(0);
    siginfo_t information;
    waitid(P_PID, id, &information, WEXITED | WNOWAIT);
    result("ended", get(id, got, 4, text, 4));
    waitpid(id, NULL, 0);
    id = must(fork());
    if (id == 0) {
        if (setresuid(1000, 1000, 1000) == 0) result("as another user", get(self, got, 4, text, 4));
        _exit(0);
    }
    waitpid(id, NULL, 0);
    return 0;
}
