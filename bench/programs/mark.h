// Marks for bench/instructions.c: a NOP of seven bytes with a number in its displacement. Rows begin
// at even numbers and end at the odd ones behind them.
#ifndef MARK_H
#define MARK_H

#define MARK(number) \
    __asm__ volatile(".byte 0x0f, 0x1f, 0x80; .short %c0; .short 0xb1ba" : : "i"(number) : "memory")

#endif
