#include "facts.h"
#include <sys/wait.h>

struct common {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    int turn, counter;
};

int main(void) {
    struct common *common = map(4096, PROT_READ | PROT_WRITE, MAP_SHARED);
    pthread_mutexattr_t mutex;
    pthread_condattr_t condition;
    pthread_mutexattr_init(&mutex);
    pthread_mutexattr_setpshared(&mutex, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&common->mutex, &mutex);
    pthread_condattr_init(&condition);
    pthread_condattr_setpshared(&condition, PTHREAD_PROCESS_SHARED);
    pthread_cond_init(&common->condition, &condition);

    for (int each = 0; each < 3; each++) {
        if (fork() == 0) {
            for (int round = 0; round < 50; round++) {
                pthread_mutex_lock(&common->mutex);
                while (common->turn != each) pthread_cond_wait(&common->condition, &common->mutex);
                common->counter++;
                common->turn = (each + 1) % 3;
                pthread_cond_broadcast(&common->condition);
                pthread_mutex_unlock(&common->mutex);
            }
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {}
    fact("rounds in turn", common->counter);

    // One position for all, and descriptors of each one's own.
    int file = make_file("shared", "abcdef");
    if (fork() == 0) {
        char byte;
        read(file, &byte, 1);
        close(file);
        _exit(byte);
    }
    int status;
    must(wait(&status));
    char byte;
    must(read(file, &byte, 1));
    tell("read", "%c then %c", WEXITSTATUS(status), byte);

    // A file both map, cut short and written while the other sleeps.
    char *mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    must(ftruncate(file, 8192));
    mapped[4096] = 'x';
    int ends[2];
    must(pipe(ends));
    if (fork() == 0) {
        char seen[3] = {mapped[4096]};
        write(ends[1], "", 1);
        while (mapped[0] != 'A') sleep_ms(1);
        seen[1] = mapped[1];
        seen[2] = mapped[4096] == 0;
        printf("child: %c %c %d\n", seen[0], seen[1], seen[2]);
        _exit(0);
    }
    must(read(ends[0], &byte, 1));
    must(ftruncate(file, 4096));
    must(ftruncate(file, 8192));
    must(pwrite(file, "AB", 2, 0));
    must(wait(NULL));

    // The last one who can write closes a pipe.
    if (fork() == 0) {
        close(ends[0]);
        write(ends[1], "end", 3);
        _exit(0);
    }
    close(ends[1]);
    char text[8] = "";
    fact("bytes", read(ends[0], text, sizeof text));
    fact("end of file", read(ends[0], text, sizeof text));
    must(wait(NULL));
}
