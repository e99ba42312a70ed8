#pragma once

#include <stdint.h>

/* A counter that grows with time, cheaply read and not comparable with any clock. */
#ifdef UNIRUN_GUEST
static inline __attribute__((always_inline)) uint64_t cycle_counter(void) {
    return __builtin_ia32_rdtsc();
}
#else
/* Hosted tests put their own in its place. */
extern uint64_t (*_Nonnull hosted_cycle_counter)(void);

static inline uint64_t cycle_counter(void) { return hosted_cycle_counter(); }
#endif

/* The processor's name (12 words, as CPUID leaves 0x80000002 to 4) and its vendor (3 words). */
static inline void processor_identity(uint32_t *_Nonnull words) {
    uint32_t a, b, c, d;
    for (uint32_t leaf = 0; leaf < 3; leaf++)
        __asm__ volatile("cpuid"
                         : "=a"(words[leaf * 4]), "=b"(words[leaf * 4 + 1]),
                           "=c"(words[leaf * 4 + 2]), "=d"(words[leaf * 4 + 3])
                         : "a"(0x80000002u + leaf), "c"(0));
    __asm__ volatile("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "a"(0), "c"(0));
    words[12] = b;
    words[13] = d;
    words[14] = c;
}

struct processor_words {
    uint32_t eax, ebx, ecx, edx;
};

/* What CPUID tells in a leaf. */
static inline struct processor_words processor_leaf(uint32_t leaf, uint32_t subleaf) {
    struct processor_words told;
    __asm__ volatile("cpuid"
                     : "=a"(told.eax), "=b"(told.ebx), "=c"(told.ecx), "=d"(told.edx)
                     : "a"(leaf), "c"(subleaf));
    return told;
}
