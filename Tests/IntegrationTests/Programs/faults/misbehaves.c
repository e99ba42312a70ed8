// Does what its argument names: nothing of it may hang, or leave unirun without words.
#include "../facts.h"
#include <sys/time.h>

static void touches(void) {
    for (;;) {
        char *piece = map(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        for (int at = 0; at < 1 << 20; at += 4096) piece[at] = 1;
    }
}

// The kernel is the first to touch the pages.
static void reads_into(void) {
    int zeros = open("/dev/zero", O_RDONLY);
    for (;;) {
        char *piece = map(1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE);
        if (read(zeros, piece, 1 << 20) < 0) puts(error_name(errno));
    }
}

static void *spins(void *unused) {
    for (volatile int turn = 0;; turn++) {}
}

static void touches_among_threads(void) {
    pthread_t thread;
    for (int count = 0; count < 4; count++) pthread_create(&thread, NULL, spins, NULL);
    touches();
}

static const struct {
    const char *name;
    void (*body)(void);
} all[] = {
    {"touches", touches},
    {"reads-into", reads_into},
    {"touches-among-threads", touches_among_threads},
};

int main(int count, char **arguments) {
    for (size_t index = 0; index < sizeof all / sizeof *all; index++) {
        if (count < 2 || strcmp(arguments[1], all[index].name)) continue;
        puts("begins");
        all[index].body();
        puts("goes on");
        return 0;
    }
    return 99;
}
