/* Copying, filling and comparing for the kernel: the compiler calls these by their C names.
 *
 * No vector registers are used, so a system call saves none. Small sizes, by far the most, are
 * done with loads and stores that overlap in the middle instead of loops; large ones by the
 * processor's string instructions. */
#ifdef UNIRUN_GUEST
#include <stddef.h>
#include <stdint.h>

typedef uint64_t __attribute__((may_alias, aligned(1))) word64;
typedef uint32_t __attribute__((may_alias, aligned(1))) word32;
typedef uint16_t __attribute__((may_alias, aligned(1))) word16;

/* From here on the string instructions win over a loop of words. They move words: a processor does so
 * as fast as bytes, an emulator eight times faster. */
enum { STRING_INSTRUCTION = 256 };

#define PLAIN __attribute__((no_builtin))

static inline __attribute__((always_inline)) uint64_t load64(const uint8_t *from) {
    return *(const word64 *)from;
}

static inline __attribute__((always_inline)) void store64(uint8_t *to, uint64_t value) {
    *(word64 *)to = value;
}

/* Up to 32 bytes; everything is loaded before anything is stored, so they may overlap. */
static inline __attribute__((always_inline)) void copy_small(uint8_t *to, const uint8_t *from,
                                                             size_t count) {
    if (count >= 16) {
        uint64_t a = load64(from), b = load64(from + 8);
        uint64_t c = load64(from + count - 16), d = load64(from + count - 8);
        store64(to, a);
        store64(to + 8, b);
        store64(to + count - 16, c);
        store64(to + count - 8, d);
    } else if (count >= 8) {
        uint64_t a = load64(from), b = load64(from + count - 8);
        store64(to, a);
        store64(to + count - 8, b);
    } else if (count >= 4) {
        uint32_t a = *(const word32 *)from, b = *(const word32 *)(from + count - 4);
        *(word32 *)to = a;
        *(word32 *)(to + count - 4) = b;
    } else if (count >= 2) {
        uint16_t a = *(const word16 *)from, b = *(const word16 *)(from + count - 2);
        *(word16 *)to = a;
        *(word16 *)(to + count - 2) = b;
    } else if (count) {
        *to = *from;
    }
}

PLAIN void *memcpy(void *restrict destination, const void *restrict source, size_t count) {
    uint8_t *to = destination;
    const uint8_t *from = source;
    if (count <= 32) {
        copy_small(to, from, count);
        return destination;
    }
    if (count >= STRING_INSTRUCTION) {
        uint64_t last = load64(from + count - 8);
        size_t words = (count - 1) / 8;
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
        store64((uint8_t *)destination + count - 8, last);
        return destination;
    }
    size_t offset = 0;
    for (; offset + 32 < count; offset += 32) {
        uint64_t a = load64(from + offset), b = load64(from + offset + 8);
        uint64_t c = load64(from + offset + 16), d = load64(from + offset + 24);
        store64(to + offset, a);
        store64(to + offset + 8, b);
        store64(to + offset + 16, c);
        store64(to + offset + 24, d);
    }
    /* The last 32 bytes overlap what is done already. */
    copy_small(to + count - 32, from + count - 32, 32);
    return destination;
}

PLAIN void *memmove(void *destination, const void *source, size_t count) {
    uint8_t *to = destination;
    const uint8_t *from = source;
    if (count <= 32) {
        copy_small(to, from, count);
        return destination;
    }
    if ((uintptr_t)to - (uintptr_t)from >= count) {
        /* Forwards does no harm, word by word: memcpy's last words would overlap. */
        if ((uintptr_t)from - (uintptr_t)to >= count) return memcpy(destination, source, count);
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
        return destination;
    }
    for (; count >= 8; count -= 8) store64(to + count - 8, load64(from + count - 8));
    while (count--) to[count] = from[count];
    return destination;
}

PLAIN void *memset(void *destination, int value, size_t count) {
    uint8_t *to = destination;
    uint64_t word = (uint8_t)value * 0x0101010101010101u;
    if (count >= STRING_INSTRUCTION) {
        size_t words = (count - 1) / 8;
        store64(to + count - 8, word);
        __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(word) : "memory");
        return destination;
    }
    if (count >= 8) {
        for (size_t offset = 0; offset + 8 < count; offset += 8) store64(to + offset, word);
        store64(to + count - 8, word);
    } else if (count >= 4) {
        *(word32 *)to = (uint32_t)word;
        *(word32 *)(to + count - 4) = (uint32_t)word;
    } else if (count) {
        to[0] = (uint8_t)value;
        to[count / 2] = (uint8_t)value;
        to[count - 1] = (uint8_t)value;
    }
    return destination;
}

PLAIN int memcmp(const void *first, const void *second, size_t count) {
    const uint8_t *a = first, *b = second;
    size_t offset = 0;
    while (offset + 8 <= count && load64(a + offset) == load64(b + offset)) offset += 8;
    for (; offset < count; offset++)
        if (a[offset] != b[offset]) return a[offset] - b[offset];
    return 0;
}

PLAIN int bcmp(const void *first, const void *second, size_t count) {
    return memcmp(first, second, count);
}

PLAIN size_t strlen(const char *text) {
    size_t length = 0;
    while (text[length]) length++;
    return length;
}
#endif
