#include "entry.h"

uint16_t system_call_places[SYSTEM_CALL_COUNT];

#ifdef UNIRUN_GUEST

void system_call_table_set(uint64_t number, system_call_handler *handler) {
    system_call_table[number] = (uint64_t)handler;
}

void system_call_table_fill(system_call_handler *handler) {
    for (uint64_t number = 0; number < SYSTEM_CALL_COUNT; number++)
        system_call_table[number] = (uint64_t)handler;
}

void system_call_table_set_frame(uint64_t number) {
    system_call_table[number] = (uint64_t)system_call_with_frame;
}

uint64_t system_call_entry_address(void) { return (uint64_t)system_call_entry; }

uint64_t system_call_entry_brief_address(void) { return (uint64_t)system_call_entry_brief; }

#else

/* Hosted tests call handlers by their rows; nothing jumps through the table. */
void system_call_table_set(uint64_t number, system_call_handler *handler) {
    (void)number;
    (void)handler;
}

void system_call_table_fill(system_call_handler *handler) { (void)handler; }

void system_call_table_set_frame(uint64_t number) { (void)number; }

uint64_t system_call_entry_address(void) { return 0; }

uint64_t system_call_entry_brief_address(void) { return 0; }

#endif
