// System V shared memory: shmget(2), shmat(2), shmctl(2), among processes.
#include "facts.h"
#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/wait.h>

#ifndef SHM_EXEC
#define SHM_EXEC 0100000
#endif

static int child(void (*body)(void *), void *argument) {
    int status;
    pid_t id = fork();
    if (id == 0) {
        body(argument);
        exit(7);
    }
    must(waitpid(id, &status, 0));
    return status;
}

static void attached(const char *name, int id) {
    struct shmid_ds status;
    must(shmctl(id, IPC_STAT, &status));
    printf("%s: attached %ld mode %o key %d\n", name, (long)status.shm_nattch,
        status.shm_perm.mode, status.shm_perm.__key != 0);
}

static int segment;

static void writes(void *memory) {
    attached("in the child", segment);
    strcpy(memory, "from the child");
    char *other = shmat(segment, NULL, 0);
    printf("child sees %s\n", other);
    attached("child twice", segment);
    must(shmdt(other));
}

static void executes(void *program) {
    execl(program, program, "child", (char *)NULL);
}

static void basics(char *program) {
    segment = must(shmget(IPC_PRIVATE, 10000, 0600));
    attached("new", segment);
    struct shmid_ds status;
    must(shmctl(segment, IPC_STAT, &status));
    printf("size %zu creator %d last %d\n", status.shm_segsz, status.shm_cpid == getpid(),
        status.shm_lpid);
    check(status.shm_atime == 0 && status.shm_dtime == 0 && status.shm_ctime > 1600000000);
    char *memory = shmat(segment, NULL, 0);
    check(memory != (void *)-1);
    attached("once", segment);
    fact("zero", memory[0] + memory[9999] + memory[12287]);
    fact("ended", child(writes, memory));
    printf("parent sees %s\n", memory);
    attached("after the child", segment);
    char *reading = shmat(segment, NULL, SHM_RDONLY);
    printf("again: %s\n", reading);
    result("may not become writable", mprotect(reading, 4096, PROT_READ | PROT_WRITE));
    fact("execs", child(executes, program));
    attached("after exec", segment);
    must(shmctl(segment, IPC_STAT, &status));
    check(status.shm_atime > 1600000000 && status.shm_dtime > 1600000000);
    check(status.shm_lpid != getpid());
    result("detach", shmdt(reading));
    result("detach again", shmdt(reading));
    result("detach inside", shmdt(memory + 4096));
    result("detach unaligned", shmdt(memory + 1));
    result("munmap a page", munmap(memory + 4096, 4096));
    attached("two pieces", segment);
    result("detach both", shmdt(memory));
    attached("none", segment);
    memory = shmat(segment, NULL, 0);
    printf("kept: %s\n", memory);
    result("unmap", munmap(memory, 12288));
    attached("unmapped", segment);
    memory = shmat(segment, NULL, 0);
    result("remove", shmctl(segment, IPC_RMID, NULL));
    attached("doomed", segment);
    char *late = shmat(segment, NULL, 0);
    printf("still attached: %s\n", late);
    must(shmdt(late));
    must(shmdt(memory));
    result("gone", shmctl(segment, IPC_STAT, &status));
    outcome("attach gone", (long)shmat(segment, NULL, 0));
}

static void places(void) {
    int id = must(shmget(IPC_PRIVATE, 8192, 0600));
    char *room = map(1 << 20, PROT_NONE, MAP_PRIVATE);
    char *at = room + (1 << 19);
    outcome("at what is taken", (long)shmat(id, at, 0));
    fact("over it", shmat(id, at, SHM_REMAP) == at);
    at[0] = 'x';
    must(munmap(room, 1 << 19));
    outcome("unaligned", (long)shmat(id, room + 5, 0));
    fact("rounded", shmat(id, room + 4100, SHM_RND) == room + 4096);
    printf("same: %c\n", room[4096]);
    outcome("remap nowhere", (long)shmat(id, NULL, SHM_REMAP));
    outcome("negative", (long)shmat(-1, NULL, 0));
    outcome("far", (long)shmat(id, (void *)0x7ffffffff000, 0));
    must(shmdt(at));
    must(shmdt(room + 4096));
    must(shmctl(id, IPC_RMID, NULL));
}

static void keys(void) {
    key_t key = 0x5eed0000 + getpid();
    result("missing", shmget(key, 100, 0));
    int id = must(shmget(key, 100, IPC_CREAT | 0640));
    fact("found", shmget(key, 100, IPC_CREAT | 0640) == id);
    fact("found without size", shmget(key, 0, 0) == id);
    result("exclusive", shmget(key, 100, IPC_CREAT | IPC_EXCL));
    result("larger", shmget(key, 101, 0));
    result("no size", shmget(IPC_PRIVATE, 0, 0600));
    result("too large", shmget(IPC_PRIVATE, (size_t)-1, 0600));
    attached("by key", id);
    struct shmid_ds status;
    must(shmctl(id, IPC_STAT, &status));
    status.shm_perm.mode = 0604;
    status.shm_perm.gid = 5;
    result("set", shmctl(id, IPC_SET, &status));
    must(seteuid(1000));
    result("other: stat", shmctl(id, IPC_STAT, &status));
    outcome("other: read", (long)shmat(id, NULL, SHM_RDONLY));
    outcome("other: write", (long)shmat(id, NULL, 0));
    outcome("other: execute", (long)shmat(id, NULL, SHM_RDONLY | SHM_EXEC));
    result("other: get", shmget(key, 0, 0600));
    fact("other: get to read", shmget(key, 0, 0004) == id);
    result("other: set", shmctl(id, IPC_SET, &status));
    result("other: remove", shmctl(id, IPC_RMID, NULL));
    must(seteuid(0));
    result("lock", shmctl(id, SHM_LOCK, NULL));
    attached("locked", id);
    result("unlock", shmctl(id, SHM_UNLOCK, NULL));
    result("unknown", shmctl(id, 99, &status));
    result("bad pointer", shmctl(id, IPC_STAT, (void *)8));
    result("bad number", shmctl(-1, IPC_STAT, &status));
    must(shmctl(id, IPC_RMID, NULL));
    result("key is free", shmget(key, 100, 0));
}

static void limits(void) {
    struct shminfo limits;
    struct shm_info use;
    outcome("limits", shmctl(0, IPC_INFO, (struct shmid_ds *)&limits));
    printf("%lu %lu %lu %lu %lu\n", limits.shmmax, limits.shmmin, limits.shmmni, limits.shmseg,
        limits.shmall);
    int id = must(shmget(IPC_PRIVATE, 5 << 20, 0600));
    outcome("use", shmctl(0, SHM_INFO, (struct shmid_ds *)&use));
    check(use.used_ids > 0 && use.shm_tot >= 1280);
    char *memory = shmat(id, NULL, 0);
    long sum = 0;
    for (long at = 0; at < 5 << 20; at += 4096) memory[at] = at >> 12;
    if (fork() == 0) {
        for (long at = 0; at < 5 << 20; at += 4096) memory[at]++;
        _exit(0);
    }
    wait(NULL);
    for (long at = 0; at < 5 << 20; at += 4096) sum += (unsigned char)memory[at];
    fact("sum", sum);
    char line[300], wanted[100];
    snprintf(wanted, sizeof wanted, " %10d  ", id);
    FILE *file = fopen("/proc/sysvipc/shm", "r");
    printf("%s", fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file))
        if (strstr(line, wanted)) printf("%.11s %.28s %zu\n", line, line + 22, strlen(line));
    fclose(file);
    FILE *maps = fopen("/proc/self/maps", "r");
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "SYSV")) printf("%s", strstr(line, "/SYSV"));
    fclose(maps);
    must(shmctl(id, IPC_RMID, NULL));
}

int main(int count, char **arguments) {
    if (count > 1) return 3;
    basics("/proc/self/exe");
    places();
    keys();
    limits();
    return 0;
}
