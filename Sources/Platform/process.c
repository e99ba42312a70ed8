#ifdef UNIRUN_GUEST

#include "platform.h"
#include "process.h"

/* In C because Swift has no zero for a struct whose pointers are never null. */
static struct boot_information information;

struct boot_information *process_boot_information(void) { return &information; }

struct host_processes host_processes;

extern const char image_variables[];
extern const char process_leave[], process_leave_pops[], process_leave_end[];
extern const char hypercall_cloned[], hypercall_joins[], hypercall_joined[];
extern const char hypercall_page[], hypercall_wait_begin[], hypercall_wait_instruction[],
    hypercall_wait_interrupted[];

#define PLACE(name) .name = (uint64_t)&name

const struct code_places code_places = {
    PLACE(process_signal_entry),
    PLACE(process_leave),
    PLACE(process_leave_pops),
    PLACE(process_leave_end),
    PLACE(hypercall_page),
    .variables = (uint64_t)&image_variables,
    PLACE(hypercall_cloned),
    PLACE(hypercall_joins),
    PLACE(hypercall_joined),
    PLACE(hypercall_wait_begin),
    PLACE(hypercall_wait_instruction),
    PLACE(hypercall_wait_interrupted),
};

#endif
