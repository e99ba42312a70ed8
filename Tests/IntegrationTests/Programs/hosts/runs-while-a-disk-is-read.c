#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

// What other threads can do while the disk, which takes its time, is read.
static int disk;
static atomic_int done;

static void *reads(void *none) {
    char sector[512];
    long count = pread(disk, sector, sizeof sector, 0);
    done++;
    return (void *)count;
}

static long start_and_join(int threads, void (*meanwhile)(void)) {
    pthread_t thread[2];
    long all = 0;
    done = 0;
    for (int each = 0; each < threads; each++) pthread_create(&thread[each], NULL, reads, NULL);
    meanwhile();
    for (int each = 0; each < threads; each++) {
        void *count;
        pthread_join(thread[each], &count);
        all += (long)count;
    }
    return all;
}

static void yields(void) {
    long times = 0;
    while (!done) {
        sched_yield();
        times++;
    }
    puts(times > 50 ? "others ran" : "nobody else ran");
}

static void sleeps(void) {
    struct timespec little = {0, 20000000};
    nanosleep(&little, NULL);
    puts(done == 0 ? "woke before" : "woke too late");
}

int main(void) {
    disk = open("/dev/vda", O_RDONLY);
    printf("read: %ld\n", start_and_join(1, yields));
    printf("read: %ld\n", start_and_join(2, sleeps));
    return 0;
}
