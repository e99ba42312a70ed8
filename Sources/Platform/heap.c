/* What Embedded Swift calls for memory: the C library's names on the kernel's heap. A function
 * named `free` cannot be written in Swift. */
#ifdef UNIRUN_GUEST
#include <stddef.h>
#include <stdint.h>

void *kernel_heap_allocate(size_t size, size_t alignment);
void kernel_heap_free(void *object);

int posix_memalign(void **object, size_t alignment, size_t size) {
    void *memory = kernel_heap_allocate(size, alignment);
    if (!memory) return 12; /* ENOMEM */
    *object = memory;
    return 0;
}

void free(void *object) {
    if (object) kernel_heap_free(object);
}

/* Seeds Swift's hashing, and serves nothing else: keys and getrandom(2) have a generator of
 * their own. */
void arc4random_buf(void *buffer, size_t count) {
    static uint64_t state;
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    state ^= (uint64_t)high << 32 | low;
    for (size_t index = 0; index < count; index++) {
        state += 0x9e3779b97f4a7c15;
        uint64_t mixed = (state ^ state >> 30) * 0xbf58476d1ce4e5b9;
        ((uint8_t *)buffer)[index] = (uint8_t)(mixed >> 56);
    }
}
#endif
