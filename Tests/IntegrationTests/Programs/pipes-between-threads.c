#include "facts.h"

static int there[2], back[2];
static long received[4];

static void *copy(void *argument) {
    char buffer[3000];
    ssize_t count;
    while ((count = read(there[0], buffer, sizeof buffer)) > 0) {
        for (ssize_t at = 0; at < count;) at += must(write(back[1], buffer + at, count - at));
    }
    close(back[1]);
    return NULL;
}

static void *feed(void *argument) {
    char buffer[7001];
    for (int round = 0; round < 300; round++) {
        memset(buffer, round, sizeof buffer);
        must(write(there[1], buffer, sizeof buffer));
    }
    close(there[1]);
    return NULL;
}

static int shared[2];
static void *write_atomically(void *argument) {
    char record[64];
    memset(record, 'a' + (int)(long)argument, sizeof record);
    for (int round = 0; round < 500; round++) must(write(shared[1], record, sizeof record));
    return NULL;
}

int main(void) {
    must(pipe(there)), must(pipe(back)), must(pipe(shared));
    pthread_t threads[4];
    pthread_create(&threads[0], NULL, copy, NULL);
    pthread_create(&threads[1], NULL, feed, NULL);
    unsigned long sum = 0, total = 0;
    char buffer[5000];
    for (ssize_t count; (count = read(back[0], buffer, sizeof buffer)) > 0;) {
        for (ssize_t at = 0; at < count; at++) sum = sum * 31 + (unsigned char)buffer[at];
        total += count;
    }
    tell("total, sum", "%lu %lu", total, sum);
    pthread_join(threads[0], NULL), pthread_join(threads[1], NULL);
    for (long each = 0; each < 4; each++) pthread_create(&threads[each], NULL, write_atomically, (void *)each);
    for (int each = 0; each < 2000; each++) {
        char record[64];
        for (size_t at = 0; at < sizeof record;) at += must(read(shared[0], record + at, sizeof record - at));
        for (int at = 1; at < 64; at++) check(record[at] == record[0]);
        received[record[0] - 'a']++;
    }
    tell("records", "%ld %ld %ld %ld", received[0], received[1], received[2], received[3]);
    for (int each = 0; each < 4; each++) pthread_join(threads[each], NULL);
}
