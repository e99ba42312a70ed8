// The bare cost of a call.
#include "bench.h"

static void null_call(long count) {
    while (count--) {
        long value;
        // The shape that compilers and C libraries emit most: mov $number, %eax; syscall.
        __asm__ volatile("mov %1, %%eax\n syscall" : "=&a"(value) : "i"(SYS_getppid) : "rcx", "r11", "memory");
    }
}

static void get_process(long count) {
    while (count--) getpid();
}

static char byte;
static void read_wrapper(long count) {
    while (count--) read(-1, &byte, 1);
}
static void write_wrapper(long count) {
    while (count--) write(-1, &byte, 1);
}

static struct timespec moment;
static void clock_wrapper(long count) {
    while (count--) clock_gettime(CLOCK_MONOTONIC, &moment);
}

int main(int count, char **arguments) {
    BENCH("null-call", null_call);
    BENCH("getpid", get_process);
    BENCH("read-closed", read_wrapper);
    BENCH("write-closed", write_wrapper);
    BENCH("clock-gettime", clock_wrapper);
}
