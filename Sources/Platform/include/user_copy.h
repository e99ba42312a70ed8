#pragma once

#include <stddef.h>
#include <stdint.h>

/* Bounds of the program's memory, set at the start: [0, low_end) and [high_start, high_end). */
extern uint64_t user_low_end, user_high_start, user_high_end;

/* Copies between kernel and program. Returns how many bytes at the end were not copied, because
 * the program's side is not mapped that way. */
size_t user_copy(void *_Nullable to, const void *_Nullable from, size_t count);
size_t user_zero(void *_Nullable to, size_t count);

/* Copies up to and including the first NUL, at most `limit` bytes. Returns the length without the
 * NUL, `limit` when there is none, or -1 when the string is not readable. */
long user_copy_string(void *_Nonnull to, const void *_Nullable from, size_t limit);

/* Atomic operations on a word of the program's memory; -1 when it faults, else 0. `*word` is the
 * value before. */
long user_load_word(const void *_Nullable address, uint32_t *_Nonnull word);
long user_exchange_word(void *_Nullable address, uint32_t value, uint32_t *_Nonnull word);
long user_add_word(void *_Nullable address, uint32_t value, uint32_t *_Nonnull word);
long user_compare_exchange_word(void *_Nullable address, uint32_t expected, uint32_t desired,
                                uint32_t *_Nonnull word);

/* Where to continue when the instruction at `rip` faulted on the program's memory; 0 when it is
 * none of the above. */
uint64_t user_copy_fixup(uint64_t rip);
