// System V semaphores: semop(2) with waiting, undoing and errors; semctl(2).
#include "facts.h"
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/wait.h>

union argument {
    int value;
    struct semid_ds *status;
    unsigned short *array;
    struct seminfo *limits;
};

static int set;

static long operate(int number, int change, int flags) {
    struct sembuf operation = {number, change, flags};
    return semop(set, &operation, 1);
}

static long control(int number, int command, int value) {
    union argument argument = {.value = value};
    return semctl(set, number, command, argument);
}

static void values(const char *name) {
    unsigned short array[4] = {9, 9, 9, 9};
    union argument argument = {.array = array};
    must(semctl(set, 0, GETALL, argument));
    printf("%s: %d %d %d\n", name, array[0], array[1], array[2]);
}

static void alone(void) {
    set = must(semget(IPC_PRIVATE, 3, 0600));
    values("new");
    result("up", operate(0, 3, 0));
    result("down", operate(0, -2, 0));
    result("too far, not waiting", operate(0, -2, IPC_NOWAIT));
    result("zero, not waiting", operate(0, 0, IPC_NOWAIT));
    result("zero of another", operate(1, 0, 0));
    struct sembuf several[3] = {{0, -1, 0}, {1, 1, 0}, {2, -1, IPC_NOWAIT}};
    result("all or none", semop(set, several, 3));
    values("none");
    several[2].sem_op = 5;
    result("all", semop(set, several, 3));
    values("all");
    struct sembuf same[3] = {{0, 2, 0}, {0, -1, 0}, {0, -1, 0}};
    result("one after another", semop(set, same, 3));
    values("same");
    result("too large", operate(2, 32767, 0));
    result("largest", operate(2, 32762, 0));
    result("larger", operate(2, 1, 0));
    result("set value", control(2, SETVAL, 4));
    result("value", control(2, GETVAL, 0));
    result("set negative", control(2, SETVAL, -1));
    result("set too large", control(2, SETVAL, 32768));
    result("number", operate(3, 1, 0));
    result("number to control", control(3, GETVAL, 0));
    result("last process", control(2, GETPID, 0) == getpid());
    unsigned short array[3] = {1, 2, 3};
    union argument argument = {.array = array};
    result("set all", semctl(set, 0, SETALL, argument));
    values("set");
    array[1] = 40000;
    result("set all too large", semctl(set, 0, SETALL, argument));
    result("no operations", semop(set, several, 0));
    static struct sembuf many[600];
    result("too many", semop(set, many, 501));
    result("bad list", semop(set, (struct sembuf *)8, 1));
    result("bad set", semop(-1, several, 1));
    struct timespec bad = {0, 1000000000}, soon = {0, 20000000};
    result("bad time", semtimedop(set, several, 1, &bad));
    result("bad time pointer", semtimedop(set, several, 1, (void *)8));
    struct sembuf wait = {0, -5, 0};
    result("timed out", semtimedop(set, &wait, 1, &soon));
    wait.sem_op = -1;
    result("in time", semtimedop(set, &wait, 1, &soon));
    result("unknown command", control(0, 77, 0));
}

static int start(void (*body)(void)) {
    pid_t id = fork();
    if (id == 0) {
        body();
        fflush(stdout);
        _exit(0);
    }
    return id;
}

static void until(int number, int command, int wanted) {
    for (int i = 0; i < 500 && control(number, command, 0) != wanted; i++) sleep_ms(2);
    fact(command == GETNCNT ? "wait for more" : "wait for zero", control(number, command, 0));
}

static void downs(void) { result("child down", operate(0, -2, 0)); }
static void zeroes(void) { result("child zero", operate(1, 0, 0)); }
static void undoes(void) {
    result("child takes", operate(0, -1, SEM_UNDO));
    result("child gives", operate(1, 3, SEM_UNDO));
    values("in the child");
}
static void undone(void) {
    result("takes", operate(0, -3, SEM_UNDO));
    must(control(0, SETVAL, 5));
}
static void executes(void) {
    must(operate(0, -1, SEM_UNDO));
    execl("/proc/self/exe", "program", "child", (char *)NULL);
}
static void taken(int number) {}
static void interrupted(void) {
    signal(SIGALRM, taken);
    ualarm(20000, 0);
    result("interrupted", operate(0, -100, 0));
}

static void together(void) {
    int status;
    must(control(0, SETVAL, 0));
    must(control(1, SETVAL, 1));
    pid_t first = start(downs);
    until(0, GETNCNT, 1);
    result("not enough", operate(0, 1, 0));
    fact("still waits", control(0, GETNCNT, 0));
    long done = operate(0, 1, 0);
    must(waitpid(first, &status, 0));
    result("enough", done);
    values("taken");
    first = start(zeroes);
    until(1, GETZCNT, 1);
    done = operate(1, -1, 0);
    must(waitpid(first, &status, 0));
    result("down to zero", done);

    must(control(0, SETVAL, 2));
    first = start(undoes);
    must(waitpid(first, &status, 0));
    values("undone");
    first = start(undone);
    usleep(10000);
    must(operate(0, 1, 0));
    must(waitpid(first, &status, 0));
    values("setting forgets");
    first = start(executes);
    must(waitpid(first, &status, 0));
    fact("status", WEXITSTATUS(status));
    values("undone after exec");
    first = start(interrupted);
    must(waitpid(first, &status, 0));

    // The oldest gets what comes, and whoever comes later waits.
    must(control(0, SETVAL, 0));
    first = start(downs);
    until(0, GETNCNT, 1);
    must(operate(0, 2, 0));
    done = operate(0, -1, IPC_NOWAIT);
    int error = errno;
    must(waitpid(first, &status, 0));
    errno = error;
    result("handed over", done);

    first = start(downs);
    until(0, GETNCNT, 1);
    done = control(0, IPC_RMID, 0);
    must(waitpid(first, &status, 0));
    result("remove", done);
    result("gone", operate(0, 1, 0));
    result("gone to control", control(0, GETVAL, 0));
}

static void keys(void) {
    key_t key = 0x5eed0000 + getpid();
    result("missing", semget(key, 1, 0));
    set = must(semget(key, 2, IPC_CREAT | 0604));
    fact("found", semget(key, 1, 0) == set);
    result("exclusive", semget(key, 1, IPC_CREAT | IPC_EXCL));
    result("more", semget(key, 3, 0));
    result("none", semget(IPC_PRIVATE, 0, 0600));
    result("too many", semget(IPC_PRIVATE, 32001, 0600));
    result("negative", semget(IPC_PRIVATE, -1, 0600));
    struct semid_ds status;
    union argument argument = {.status = &status};
    must(semctl(set, 0, IPC_STAT, argument));
    printf("%lu semaphores, mode %o, %d\n", (long)status.sem_nsems, status.sem_perm.mode,
        status.sem_otime == 0);
    must(seteuid(1000));
    result("other: value", control(0, GETVAL, 0));
    result("other: wait for zero", operate(0, 0, IPC_NOWAIT));
    result("other: up", operate(0, 1, 0));
    result("other: set", control(0, SETVAL, 1));
    result("other: remove", control(0, IPC_RMID, 1));
    must(seteuid(0));
    status.sem_perm.mode = 0606;
    result("change", semctl(set, 0, IPC_SET, argument));
    must(seteuid(1000));
    result("other: up", operate(0, 1, 0));
    must(seteuid(0));
    must(semctl(set, 0, IPC_STAT, argument));
    printf("mode %o, %d\n", status.sem_perm.mode, status.sem_otime > 1600000000);
    char line[300], wanted[100];
    snprintf(wanted, sizeof wanted, " %10d  ", set);
    FILE *file = fopen("/proc/sysvipc/sem", "r");
    printf("%s", fgets(line, sizeof line, file));
    while (fgets(line, sizeof line, file))
        if (strstr(line, wanted)) printf("%.40s %zu\n", line + 22, strlen(line));
    fclose(file);
    struct seminfo limits;
    argument.limits = &limits;
    outcome("limits", semctl(0, 0, IPC_INFO, argument));
    printf("%d %d %d %d %d %d %d %d\n", limits.semmni, limits.semmns, limits.semmsl,
        limits.semopm, limits.semume, limits.semusz, limits.semvmx, limits.semaem);
    must(control(0, IPC_RMID, 0));
}

static void *ups(void *unused) {
    for (int i = 0; i < 500; i++) must(operate(0, 1, 0));
    return NULL;
}

static void *takes(void *unused) {
    for (int i = 0; i < 500; i++) must(operate(0, -1, 0));
    return NULL;
}

static void threads(void) {
    pthread_t threads[4];
    set = must(semget(IPC_PRIVATE, 1, 0600));
    for (int i = 0; i < 4; i++) pthread_create(&threads[i], NULL, i & 1 ? ups : takes, NULL);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    fact("left", control(0, GETVAL, 0));
    must(control(0, IPC_RMID, 0));
}

int main(int count, char **arguments) {
    if (count > 1) return 5;
    alone();
    together();
    keys();
    threads();
    return 0;
}
