/* Vector and floating-point registers, as a whole by xsave or register by register (SDM volume 1,
 * chapter 13). An area is 64-byte aligned, VECTOR_REGISTERS_SIZE or boot_information.xsave_size
 * bytes long, whichever is more, and zeroed before its first use.
 */
#pragma once

/* Features: bits of XCR0. */
#define VECTOR_X87 0x1
#define VECTOR_SSE 0x2
#define VECTOR_AVX 0x4       /* the upper halves of ymm0 to ymm15 */
#define VECTOR_MASKS 0x20    /* k0 to k7 */
#define VECTOR_UPPER 0x40    /* the upper halves of zmm0 to zmm15 */
#define VECTOR_HIGH 0x80     /* zmm16 to zmm31 */
#define VECTOR_KEYS 0x200    /* PKRU, no vector register but saved with them */
/* What vector_registers_save can save. */
#define VECTOR_REGISTERS                                                                           \
    (VECTOR_X87 | VECTOR_SSE | VECTOR_AVX | VECTOR_MASKS | VECTOR_UPPER | VECTOR_HIGH |           \
     VECTOR_KEYS)

/* Where registers lie that are saved one by one: those of x87 and SSE as fxsave has them, the others
 * behind the header of an xsave area, which stays valid. */
#define VECTOR_STATUS_OFFSET 2
#define VECTOR_TAGS_OFFSET 4
#define VECTOR_FLAGS_OFFSET 24
#define VECTOR_SSE_OFFSET 160
#define VECTOR_LOW_OFFSET 576
#define VECTOR_HIGH_OFFSET (VECTOR_LOW_OFFSET + 16 * 64)
#define VECTOR_MASKS_OFFSET (VECTOR_HIGH_OFFSET + 16 * 64)
#define VECTOR_KEYS_OFFSET (VECTOR_MASKS_OFFSET + 8 * 8)
#define VECTOR_REGISTERS_SIZE (VECTOR_KEYS_OFFSET + 64)

#ifndef __ASSEMBLER__
#include <stdint.h>

static const uint64_t vector_registers_features = VECTOR_REGISTERS;
static const uint64_t vector_registers_size = VECTOR_REGISTERS_SIZE;

/* The features whose registers do not all hold their initial values, where the processor has
 * xgetbv with 1 (boot_information.tells_vector_use). */
static inline __attribute__((always_inline)) uint64_t vector_state_in_use(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(1));
    return ((uint64_t)high << 32) | low;
}

/* Saves all that the processor has, in the layout that others read as well. */
static inline void vector_state_save_all(void *_Nonnull area) {
    __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
}

/* Loads the features asked for from an xsave area. */
static inline void vector_state_restore(const void *_Nonnull area, uint64_t features) {
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)features), "d"((uint32_t)(features >> 32))
                     : "memory");
}

/* Save and load the registers of some of VECTOR_REGISTERS, VECTOR_SSE among them; plain moves take a
 * tenth of the time of xsave and xrstor. To load, `live` holds what is live of MXCSR and, if it is
 * among `live_features`, of x87. */
void vector_registers_save(void *_Nonnull area, uint64_t features);
void vector_registers_restore(const void *_Nonnull area, uint64_t features,
                              const void *_Nonnull live, uint64_t live_features);
#endif
