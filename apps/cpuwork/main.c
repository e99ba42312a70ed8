// Work for the processor alone, in the manner of CoreMark: linked lists, matrices, a state machine,
// CRCs, integer and floating-point loops. It prints a checksum for each part; with `--time`, also
// the nanoseconds that each took, on standard error.
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t seed = 88172645463325252u;

static uint64_t next_random(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

static uint32_t crc_step(uint32_t crc, const void *data, size_t length) {
    const unsigned char *at = data;
    while (length--) {
        crc ^= *at++;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return crc;
}

struct node {
    struct node *next;
    int64_t value;
};

// Merge sort of a linked list: pointer chasing and branches that cannot be foreseen.
static struct node *sort_list(struct node *list) {
    for (size_t width = 1;; width *= 2) {
        struct node *left = list, *head = NULL, **tail = &head;
        size_t merges = 0;
        while (left) {
            merges++;
            struct node *right = left;
            size_t left_size = 0, right_size = width;
            while (left_size < width && right) left_size++, right = right->next;
            while (left_size > 0 || (right_size > 0 && right)) {
                int take_left = left_size > 0 && (right_size == 0 || !right || left->value <= right->value);
                struct node **from = take_left ? &left : &right;
                *tail = *from;
                tail = &(*from)->next;
                *from = (*from)->next;
                take_left ? left_size-- : right_size--;
            }
            left = right;
        }
        *tail = NULL;
        list = head;
        if (merges <= 1) return list;
    }
}

static uint32_t lists(int scale) {
    enum { count = 100000 };
    struct node *nodes = malloc(count * sizeof *nodes);
    uint32_t crc = ~0u;
    for (int round = 0; round < 4 * scale; round++) {
        for (int each = 0; each < count; each++) {
            nodes[each].value = next_random() % 1000000;
            nodes[each].next = each + 1 < count ? &nodes[each + 1] : NULL;
        }
        int64_t at = 0, sum = 0;
        for (struct node *node = sort_list(nodes); node; node = node->next) sum += node->value * ++at % 977;
        crc = crc_step(crc, &sum, sizeof sum);
    }
    free(nodes);
    return crc;
}

static uint32_t matrices(int scale) {
    enum { size = 160 };
    static int32_t a[size][size], b[size][size], c[size][size];
    uint32_t crc = ~0u;
    for (int round = 0; round < 8 * scale; round++) {
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++) a[i][j] = next_random() % 2000 - 1000, b[i][j] = next_random() % 2000 - 1000;
        for (int i = 0; i < size; i++)
            for (int j = 0; j < size; j++) {
                uint32_t sum = 0;
                for (int k = 0; k < size; k++) sum += (uint32_t)a[i][k] * (uint32_t)b[k][j];
                c[i][j] = (int32_t)sum;
            }
        crc = crc_step(crc, c, sizeof c);
    }
    return crc;
}

static uint32_t state_machine(int scale) {
    enum { digit, point, exponent, sign, space, other };
    static const char letters[] = "0123456789.eE+- ,x";
    char text[4096];
    uint32_t counts[6][6] = {0};
    for (int round = 0; round < 400 * scale; round++) {
        for (size_t each = 0; each < sizeof text; each++) text[each] = letters[next_random() % (sizeof letters - 1)];
        int state = space;
        for (size_t each = 0; each < sizeof text; each++) {
            char c = text[each];
            int next = c >= '0' && c <= '9' ? digit : c == '.' ? point : c == 'e' || c == 'E' ? exponent
                : c == '+' || c == '-' ? sign : c == ' ' ? space : other;
            counts[state][next]++;
            state = next;
        }
    }
    return crc_step(~0u, counts, sizeof counts);
}

static uint32_t integers(int scale) {
    uint64_t sum = 0;
    uint32_t longest = 0;
    for (uint32_t start = 1; start < 200000u * scale; start++) {
        uint64_t n = start;
        uint32_t steps = 0;
        while (n != 1) n = n & 1 ? 3 * n + 1 : n / 2, steps++;
        if (steps > longest) longest = steps;
        sum += steps * (uint64_t)start % 1013;
    }
    sum += longest;
    return crc_step(~0u, &sum, sizeof sum);
}

static uint32_t sieve(int scale) {
    uint32_t limit = 4000000u * scale, found = 0;
    unsigned char *composite = calloc(limit, 1);
    for (uint32_t n = 2; n < limit; n++) {
        if (composite[n]) continue;
        found++;
        for (uint64_t multiple = (uint64_t)n * n; multiple < limit; multiple += n) composite[multiple] = 1;
    }
    free(composite);
    return crc_step(~0u, &found, sizeof found);
}

static uint32_t bodies(int scale) {
    enum { count = 5 };
    double p[count][3], v[count][3], m[count];
    for (int i = 0; i < count; i++) {
        m[i] = 1 + i * 0.25;
        for (int d = 0; d < 3; d++) p[i][d] = (i + 1) * 1.5 + d * i * 0.3, v[i][d] = (d - 1) * 0.1 * i;
    }
    for (int step = 0; step < 200000 * scale; step++) {
        for (int i = 0; i < count; i++)
            for (int j = i + 1; j < count; j++) {
                double d[3], squared = 0.01;
                for (int k = 0; k < 3; k++) d[k] = p[i][k] - p[j][k], squared += d[k] * d[k];
                double force = 0.0001 / (squared * sqrt(squared));
                for (int k = 0; k < 3; k++) v[i][k] -= d[k] * m[j] * force, v[j][k] += d[k] * m[i] * force;
            }
        for (int i = 0; i < count; i++)
            for (int k = 0; k < 3; k++) p[i][k] += v[i][k] * 0.0001;
    }
    return crc_step(~0u, p, sizeof p);
}

struct share {
    int scale;
    uint32_t crc;
};

static void *compute_share(void *argument) {
    struct share *share = argument;
    share->crc = integers(share->scale);
    return NULL;
}

// Four threads that never call the kernel while they work.
static uint32_t threads(int scale) {
    pthread_t handles[4];
    struct share shares[4];
    uint32_t crc = ~0u;
    for (int each = 0; each < 4; each++) {
        shares[each].scale = scale;
        pthread_create(&handles[each], NULL, compute_share, &shares[each]);
    }
    for (int each = 0; each < 4; each++) {
        pthread_join(handles[each], NULL);
        crc = crc_step(crc, &shares[each].crc, sizeof shares[each].crc);
    }
    return crc;
}

static const struct {
    const char *name;
    uint32_t (*work)(int scale);
} parts[] = {
    {"lists", lists}, {"matrices", matrices}, {"state-machine", state_machine},
    {"integers", integers}, {"sieve", sieve}, {"bodies", bodies}, {"threads", threads},
};

int main(int count, char **arguments) {
    int timed = 0, scale = 1;
    const char *only = NULL;
    for (int each = 1; each < count; each++) {
        if (strcmp(arguments[each], "--time") == 0) timed = 1;
        else if (atoi(arguments[each]) > 0) scale = atoi(arguments[each]);
        else only = arguments[each];
    }
    for (size_t each = 0; each < sizeof parts / sizeof *parts; each++) {
        if (only && strcmp(only, parts[each].name) != 0) continue;
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        uint32_t crc = parts[each].work(scale);
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("%s %08x\n", parts[each].name, crc);
        long long took = (end.tv_sec - start.tv_sec) * 1000000000LL + (end.tv_nsec - start.tv_nsec);
        if (timed) fprintf(stderr, "%s %lld\n", parts[each].name, took);
    }
}
