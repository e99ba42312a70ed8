// Threads that hold different kinds of vector registers, each full of numbers of its own, while they
// give the processor away inside one sched_yield(2).
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum kind { NONE, SSE, X87, POPPED_X87, AVX, AVX512, KINDS };
static const char *names[] = {"none", "sse", "x87", "popped x87", "avx", "avx-512"};

struct registers {
    uint8_t vector[32][64];
    uint64_t masks[8];
    long double stack[8];
    uint32_t flags;
    uint16_t control, status;
} __attribute__((aligned(64)));

#define YIELD "mov $24, %%eax; syscall;"
#define EACH8(x) x(0) x(1) x(2) x(3) x(4) x(5) x(6) x(7)
#define EACH16(x) EACH8(x) x(8) x(9) x(10) x(11) x(12) x(13) x(14) x(15)
#define HIGH16(x) x(16) x(17) x(18) x(19) x(20) x(21) x(22) x(23) x(24) x(25) x(26) x(27) x(28) \
    x(29) x(30) x(31)
#define AT(n, register) #n " * 64(" register ")"
#define LOAD_SSE(n) "movaps " AT(n, "%0") ", %%xmm" #n ";"
#define KEEP_SSE(n) "movaps %%xmm" #n ", " AT(n, "%1") ";"
#define LOAD_AVX(n) "vmovaps " AT(n, "%0") ", %%ymm" #n ";"
#define KEEP_AVX(n) "vmovaps %%ymm" #n ", " AT(n, "%1") ";"
#define LOAD_512(n) "vmovaps " AT(n, "%0") ", %%zmm" #n ";"
#define KEEP_512(n) "vmovaps %%zmm" #n ", " AT(n, "%1") ";"
#define LOAD_MASK(n) "kmovw 2048 + " #n " * 8(%0), %%k" #n ";"
#define KEEP_MASK(n) "kmovw %%k" #n ", 2048 + " #n " * 8(%1);"
#define LOAD_X87(n) "fldt 2112 + " #n " * 16(%0);"
#define KEEP_X87(n) "fstpt 2112 + " #n " * 16(%1);"
#define PASS(code) __asm__ volatile(code : : "r"(in), "r"(out) : "rax", "rcx", "r11", "memory")

static void pass(enum kind kind, const struct registers *in, struct registers *out) {
    switch (kind) {
    case SSE: PASS("ldmxcsr 2240(%0);" EACH16(LOAD_SSE) YIELD EACH16(KEEP_SSE) "stmxcsr 2240(%1)"); break;
    case X87: PASS("fldcw 2244(%0);" EACH8(LOAD_X87) YIELD EACH8(KEEP_X87) "fnstcw 2244(%1); fninit"); break;
    case POPPED_X87:
        PASS("fldcw 2244(%0); fld1; fldpi; fdivrp; fstp %%st(0);" YIELD
             "fnstsw 2246(%1); fnstcw 2244(%1); fninit");
        break;
    case AVX: PASS(EACH16(LOAD_AVX) YIELD EACH16(KEEP_AVX) "vzeroupper"); break;
    case AVX512:
        PASS(EACH16(LOAD_512) HIGH16(LOAD_512) EACH8(LOAD_MASK) YIELD
                 EACH16(KEEP_512) HIGH16(KEEP_512) EACH8(KEEP_MASK) "vzeroupper");
        break;
    default: PASS(YIELD);
    }
}

// What of the registers a kind holds: the rest stays as it was in `out`.
static void fill(enum kind kind, struct registers *in, uint32_t seed) {
    memset(in, 0, sizeof *in);
    unsigned width = kind == SSE ? 16 : kind == AVX ? 32 : kind == AVX512 ? 64 : 0;
    for (unsigned each = 0; each < (kind == AVX512 ? 32 : 16); each++)
        for (unsigned byte = 0; byte < width; byte++)
            in->vector[each][byte] = (seed = seed * 1664525 + 1013904223) >> 24;
    for (unsigned each = 0; each < 8; each++) {
        if (kind == AVX512) in->masks[each] = (seed + each * 77) & 0xffff;
        if (kind == X87) in->stack[7 - each] = seed + each * 0.5L;
    }
    if (kind == SSE) in->flags = 0x1f80 | (seed & 3) << 13;
    if (kind == X87 || kind == POPPED_X87) in->control = 0x37f | (seed & 3) << 10;
}

static int has(enum kind kind) {
    if (kind == AVX) return __builtin_cpu_supports("avx");
    if (kind == AVX512) return __builtin_cpu_supports("avx512bw");
    return 1;
}

static void *work(void *argument) {
    enum kind kind = (uintptr_t)argument % KINDS;
    struct registers in, out;
    long wrong = 0;
    for (uint32_t round = 0; round < 3000 && has(kind); round++) {
        fill(kind, &in, round * 977 + (uint32_t)(uintptr_t)argument);
        memset(&out, 0, sizeof out);
        pass(kind, &in, &out);
        if (kind == X87)
            for (int each = 0; each < 4; each++) {
                long double other = in.stack[each];
                in.stack[each] = in.stack[7 - each];
                in.stack[7 - each] = other;
            }
        // The status word of the division: inexact, nothing on the stack.
        if (kind == POPPED_X87) in.status = out.status & 0x3820 ? 0x20 : 1, out.status &= 0x3820;
        wrong += memcmp(&in, &out, sizeof in) != 0;
    }
    return (void *)wrong;
}

int main(void) {
    pthread_t threads[2 * KINDS];
    for (uintptr_t each = 0; each < 2 * KINDS; each++)
        pthread_create(&threads[each], NULL, work, (void *)each);
    for (int each = 0; each < 2 * KINDS; each++) {
        void *wrong;
        pthread_join(threads[each], &wrong);
        printf("%s: %ld wrong\n", names[each % KINDS], (long)wrong);
    }
}
