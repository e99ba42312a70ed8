// System V message queues: types, limits, waiting, and who may.
#include "facts.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_EXCEPT
#define MSG_EXCEPT 020000
#endif

static int queue;
static struct { long type; char text[20000]; } message;

static long send(long type, const char *text, int flags) {
    message.type = type;
    strcpy(message.text, text);
    return msgsnd(queue, &message, strlen(text), flags);
}

static void receive(const char *name, long type, size_t room, int flags) {
    memset(&message, 0, 100);
    long count = msgrcv(queue, &message, room, type, flags);
    if (count < 0) result(name, count);
    else printf("%s: %ld of type %ld: %.20s\n", name, count, message.type, message.text);
}

static void state(const char *name) {
    struct msqid_ds status;
    must(msgctl(queue, IPC_STAT, &status));
    printf("%s: %lu messages of %lu, %lu bytes, mode %o, times %d %d\n", name,
        (long)status.msg_qnum, (long)status.msg_qbytes, (long)status.__msg_cbytes,
        status.msg_perm.mode, status.msg_stime > 0, status.msg_rtime > 0);
}

static void alone(void) {
    queue = must(msgget(IPC_PRIVATE, 0600));
    state("new");
    result("empty", msgrcv(queue, &message, 10, 0, IPC_NOWAIT));
    result("send", send(3, "three", 0));
    result("send", send(1, "one", 0));
    result("send", send(2, "two", 0));
    result("send", send(1, "one again", 0));
    result("send nothing", send(9, "", 0));
    state("five");
    receive("a copy", 1, 100, MSG_COPY | IPC_NOWAIT);
    receive("no such copy", 7, 100, MSG_COPY | IPC_NOWAIT);
    receive("a copy that waits", 1, 100, MSG_COPY);
    receive("too short", 0, 2, 0);
    receive("any", 0, 100, 0);
    receive("of a type", 2, 100, 0);
    receive("none of a type", 2, 100, IPC_NOWAIT);
    receive("all but", 1, 100, MSG_EXCEPT);
    receive("lowest", -5, 100, 0);
    receive("cut", -1, 3, MSG_NOERROR);
    receive("nothing left", 0, 100, IPC_NOWAIT);
    state("empty");
    send(5, "five", 0);
    send(4, "four", 0);
    send(4, "four too", 0);
    receive("lowest up to four", -4, 100, 0);
    receive("lowest up to nine", -9, 100, 0);
    receive("lowest of all", LONG_MIN, 100, 0);
    result("bad type", send(0, "x", 0));
    result("negative type", send(-1, "x", 0));
    message.type = 1;
    result("too long", msgsnd(queue, &message, 8193, 0));
    result("negative length", msgsnd(queue, &message, -1, 0));
    result("negative room", msgrcv(queue, &message, -1, 0, 0));
    result("bad message", msgsnd(queue, (void *)8, 1, 0));
    result("bad queue", msgsnd(-1, &message, 1, 0));
    result("bad queue to receive", msgrcv(-1, &message, 1, 0, 0));
    result("longest", msgsnd(queue, &message, 8192, 0));
    result("longest", msgsnd(queue, &message, 8192, IPC_NOWAIT));
    result("full", msgsnd(queue, &message, 1, IPC_NOWAIT));
    state("full");
    receive("one", 0, 20000, 0);
    result("room again", msgsnd(queue, &message, 100, IPC_NOWAIT));
    struct msqid_ds status;
    must(msgctl(queue, IPC_STAT, &status));
    status.msg_qbytes = 100;
    status.msg_perm.mode = 0604;
    result("smaller", msgctl(queue, IPC_SET, &status));
    state("smaller");
    result("full", msgsnd(queue, &message, 1, IPC_NOWAIT));
    must(seteuid(1000));
    outcome("other: stat", msgctl(queue, IPC_STAT, &status));
    receive("other: copy", 0, 20000, MSG_COPY | IPC_NOWAIT | MSG_NOERROR);
    result("other: send", msgsnd(queue, &message, 1, IPC_NOWAIT));
    result("other: set", msgctl(queue, IPC_SET, &status));
    result("other: remove", msgctl(queue, IPC_RMID, NULL));
    must(seteuid(0));
    result("unknown", msgctl(queue, 99, &status));
    result("remove", msgctl(queue, IPC_RMID, NULL));
    result("gone", msgctl(queue, IPC_STAT, &status));
}

static pid_t start(void (*body)(void)) {
    pid_t id = fork();
    if (id == 0) {
        body();
        fflush(stdout);
        _exit(0);
    }
    sleep_ms(30);
    return id;
}

static void waits(void) { receive("child", 5, 100, 0); }
static void waits_short(void) { receive("child with little room", 0, 2, 0); }
static void waits_to_send(void) { result("child sends", send(1, "late", 0)); }
static void taken(int number) {}
static void interrupted(void) {
    signal(SIGALRM, taken);
    ualarm(20000, 0);
    receive("interrupted", 7, 100, 0);
}

static void together(void) {
    queue = must(msgget(IPC_PRIVATE, 0600));
    pid_t child = start(waits);
    result("not for it", send(4, "four", 0));
    long done = send(5, "five", 0);
    must(waitpid(child, NULL, 0));
    result("for it", done);
    state("one left");
    receive("it", 0, 100, 0);
    child = start(waits_short);
    done = send(1, "text", 0);
    must(waitpid(child, NULL, 0));
    result("too long for it", done);
    receive("so it stays", 0, 100, 0);
    message.type = 1;
    must(msgsnd(queue, &message, 8192, 0));
    must(msgsnd(queue, &message, 8192, 0));
    child = start(waits_to_send);
    state("full");
    must(msgrcv(queue, &message, 8192, 0, 0));
    must(waitpid(child, NULL, 0));
    must(msgrcv(queue, &message, 8192, 0, 0));
    receive("the late one", 0, 100, 0);
    child = start(interrupted);
    must(waitpid(child, NULL, 0));
    child = start(waits);
    done = msgctl(queue, IPC_RMID, NULL);
    must(waitpid(child, NULL, 0));
    result("remove", done);
    queue = must(msgget(IPC_PRIVATE, 0600));
    message.type = 1;
    must(msgsnd(queue, &message, 8192, 0));
    must(msgsnd(queue, &message, 8192, 0));
    child = start(waits_to_send);
    done = msgctl(queue, IPC_RMID, NULL);
    must(waitpid(child, NULL, 0));
    result("remove", done);
}

static void keys(void) {
    key_t key = 0x5eed0000 + getpid();
    result("missing", msgget(key, 0));
    queue = must(msgget(key, IPC_CREAT | 0600));
    fact("found", msgget(key, 0) == queue);
    result("exclusive", msgget(key, IPC_CREAT | IPC_EXCL));
    must(seteuid(1000));
    result("other", msgget(key, 0600));
    fact("other asks nothing", msgget(key, 0) == queue);
    must(seteuid(0));
    send(1, "text", 0);
    char line[300], wanted[100];
    snprintf(wanted, sizeof wanted, " %10d  ", queue);
    FILE *file = fopen("/proc/sysvipc/msg", "r");
    printf("%s", fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file))
        if (strstr(line, wanted)) printf("%.26s %d\n", line + 22, strlen(line) > 100);
    fclose(file);
    struct msginfo limits;
    outcome("limits", msgctl(0, IPC_INFO, (struct msqid_ds *)&limits));
    printf("%d %d %d %d\n", limits.msgmax, limits.msgmnb, limits.msgmni, limits.msgssz);
    outcome("use", msgctl(0, MSG_INFO, (struct msqid_ds *)&limits));
    check(limits.msgpool > 0 && limits.msgmap > 0 && limits.msgtql > 3);
    must(msgctl(queue, IPC_RMID, NULL));
    const char *names[] = {"msgmax", "msgmnb", "msgmni", "sem", "shmmax", "shmall", "shmmni"};
    for (int i = 0; i < 7; i++) {
        snprintf(line, sizeof line, "/proc/sys/kernel/%s", names[i]);
        file = fopen(line, "r");
        printf("%s: %s", names[i], file ? fgets(line, sizeof line, file) : "none\n");
        if (file) fclose(file);
    }
}

int main(void) {
    alone();
    together();
    keys();
    return 0;
}
