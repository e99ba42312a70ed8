#include "user_copy.h"

uint64_t user_low_end, user_high_start, user_high_end;

struct fixup {
    uint64_t from, to;
};

/* The table that user_copy.S builds; its own section in the image, and ended by zeroes. */
extern const struct fixup user_copy_fixups[];

uint64_t user_copy_fixup(uint64_t rip) {
    for (const struct fixup *entry = user_copy_fixups; entry->from; entry++)
        if (entry->from == rip) return entry->to;
    return 0;
}
