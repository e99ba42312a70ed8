#pragma once

#include <stddef.h>

/* The heap that Swift allocates from, for sizes whose failure is to be an error and not a trap.
 * The image's own heap and the C library's both offer it under these names. */
#ifdef UNIRUN_GUEST
int posix_memalign(void *_Nullable *_Nonnull memory, size_t alignment, size_t size);
void free(void *_Nullable memory);
#else
#include <stdlib.h>
#endif

static inline void *_Nullable kernel_allocate(size_t size) {
    void *memory = 0;
    return posix_memalign(&memory, 16, size) == 0 ? memory : 0;
}

static inline void kernel_free(void *_Nullable memory) { free(memory); }
