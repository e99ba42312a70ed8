// A plugin of QEMU's emulator (plugin API 1, QEMU 4.2 to 8.2) that counts the instructions a guest
// executes. A guest says where it is by marks, NOPs that no compiler makes: programs/mark.h.
//
//   -plugin instructions.so,output=FILE[,profile=FILE[,begin=N],end=N]
//
// `output` gets a line `mark N INSTRUCTIONS REPEATS NANOSECONDS` for each mark that is executed, and
// one with -1 at the end. REPEATS are those instructions that are string instructions with a repeat
// prefix, of which the emulator executes one for each element. `profile` gets `ADDRESS COUNT` for what
// is executed between two marks, or before the mark at the end.
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Debian has no header of the API for this version: what is used of it, by its documentation.
struct block;
struct instruction;
struct guest;
enum { no_registers = 0, add_64 = 0 };
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t self, void (*)(uint64_t, struct block *));
void qemu_plugin_register_atexit_cb(uint64_t self, void (*)(uint64_t, void *), void *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction *, int operation, void *, uint64_t);
void qemu_plugin_register_vcpu_insn_exec_cb(struct instruction *, void (*)(unsigned, void *), int registers,
                                            void *);
size_t qemu_plugin_tb_n_insns(const struct block *);
struct instruction *qemu_plugin_tb_get_insn(const struct block *, size_t index);
const uint8_t *qemu_plugin_insn_data(const struct instruction *);
size_t qemu_plugin_insn_size(const struct instruction *);
uint64_t qemu_plugin_insn_vaddr(const struct instruction *);

#define EXPORT __attribute__((visibility("default")))
EXPORT int qemu_plugin_version = 1;

static uint64_t instructions, repeats;
static FILE *output, *profile;
static long first_mark = -1, last_mark = -1;

// What was executed where. Translated code keeps pointers to the counts, so they never move.
enum { buckets = 1 << 16 };
static struct place {
    struct place *next;
    uint64_t address, count, before, during;
} *places[buckets];

static uint64_t *count_at(uint64_t address) {
    struct place **list = &places[(address * 0x9e3779b97f4a7c15u) >> 48];
    for (struct place *place = *list; place; place = place->next) {
        if (place->address == address) return &place->count;
    }
    struct place *place = calloc(1, sizeof *place);
    if (!place) abort();
    *place = (struct place){.next = *list, .address = address};
    *list = place;
    return &place->count;
}

static void for_each_place(void (*body)(struct place *)) {
    for (int bucket = 0; bucket < buckets; bucket++) {
        for (struct place *place = places[bucket]; place; place = place->next) body(place);
    }
}

static void begin(struct place *place) { place->before = place->count; }
static void finish_place(struct place *place) { place->during = place->count - place->before; }
static void print(struct place *place) {
    if (place->during) fprintf(profile, "%" PRIx64 " %" PRIu64 "\n", place->address, place->during);
}

static void tell(long mark) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    fprintf(output, "mark %ld %" PRIu64 " %" PRIu64 " %lld\n", mark, instructions, repeats,
            now.tv_sec * 1000000000LL + now.tv_nsec);
    fflush(output);
}

static void reach_mark(unsigned processor, void *data) {
    (void)processor;
    long mark = (long)(intptr_t)data;
    tell(mark);
    if (!profile) return;
    if (mark == first_mark) for_each_place(begin);
    if (mark == last_mark) for_each_place(finish_place);
}

static bool is_mark(const uint8_t *bytes, size_t size) {
    static const uint8_t nop[] = {0x0f, 0x1f, 0x80}, word[] = {0xba, 0xb1};
    return size == 7 && !memcmp(bytes, nop, sizeof nop) && !memcmp(bytes + 5, word, sizeof word);
}

static bool is_repeated(const uint8_t *bytes, size_t size) {
    bool has_prefix = false;
    for (size_t index = 0; index < size; index++) {
        uint8_t byte = bytes[index];
        if (byte == 0xf2 || byte == 0xf3) {
            has_prefix = true;
        } else if (byte != 0x66 && byte != 0x67 && (byte & 0xf0) != 0x40) {
            // movs, cmps, stos, lods, scas; ins and outs.
            bool is_string = (byte >= 0xa4 && byte <= 0xaf && byte != 0xa8 && byte != 0xa9) ||
                             (byte >= 0x6c && byte <= 0x6f);
            return has_prefix && is_string;
        }
    }
    return false;
}

static void translate(uint64_t self, struct block *block) {
    (void)self;
    size_t count = qemu_plugin_tb_n_insns(block);
    for (size_t index = 0; index < count; index++) {
        struct instruction *each = qemu_plugin_tb_get_insn(block, index);
        const uint8_t *bytes = qemu_plugin_insn_data(each);
        size_t size = qemu_plugin_insn_size(each);
        qemu_plugin_register_vcpu_insn_exec_inline(each, add_64, &instructions, 1);
        if (is_repeated(bytes, size)) qemu_plugin_register_vcpu_insn_exec_inline(each, add_64, &repeats, 1);
        if (profile) {
            uint64_t *place = count_at(qemu_plugin_insn_vaddr(each));
            qemu_plugin_register_vcpu_insn_exec_inline(each, add_64, place, 1);
        }
        if (is_mark(bytes, size)) {
            intptr_t mark = bytes[3] | bytes[4] << 8;
            qemu_plugin_register_vcpu_insn_exec_cb(each, reach_mark, no_registers, (void *)mark);
        }
    }
}

static void finish(uint64_t self, void *data) {
    (void)self, (void)data;
    tell(-1);
    if (profile) for_each_place(print);
    if (profile) fclose(profile);
}

// What follows `name=` in the arguments.
static const char *argument(const char *name, int count, char **arguments) {
    size_t length = strlen(name);
    for (int index = 0; index < count; index++) {
        if (!strncmp(arguments[index], name, length) && arguments[index][length] == '=')
            return arguments[index] + length + 1;
    }
    return NULL;
}

static FILE *open_named(const char *path) { return path ? fopen(path, "w") : NULL; }
static long number(const char *text) { return text ? atol(text) : -1; }

EXPORT int qemu_plugin_install(uint64_t self, const struct guest *guest, int count, char **arguments) {
    (void)guest;
    output = open_named(argument("output", count, arguments));
    profile = open_named(argument("profile", count, arguments));
    first_mark = number(argument("begin", count, arguments));
    last_mark = number(argument("end", count, arguments));
    if (!output) return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(self, translate);
    qemu_plugin_register_atexit_cb(self, finish, NULL);
    return 0;
}
