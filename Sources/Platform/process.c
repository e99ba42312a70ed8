#ifdef UNIRUN_GUEST

#include "platform.h"
#include "process.h"

/* In C because Swift has no zero for a struct whose pointers are never null. */
static struct boot_information information;

struct boot_information *process_boot_information(void) { return &information; }

extern const char image_start[], image_end[];
extern const char system_call_entry_begun[];
extern const char system_call_leave[], system_call_leave_result[], system_call_leave_end[],
    system_call_return[];
extern const char frame_leave[], frame_leave_end[];
extern const char hypercall_page[], hypercall_wait_begin[], hypercall_wait_instruction[],
    hypercall_wait_interrupted[];

#define PLACE(name) .name = (uint64_t)&name

const struct code_places code_places = {
    .image = (uint64_t)&image_start,
    PLACE(image_end),
    PLACE(system_call_entry),
    PLACE(system_call_entry_begun),
    PLACE(system_call_entry_stepped),
    PLACE(system_call_return),
    PLACE(system_call_leave),
    PLACE(system_call_leave_result),
    PLACE(system_call_leave_end),
    PLACE(frame_return),
    PLACE(frame_leave),
    PLACE(frame_leave_end),
    PLACE(kernel_exception),
    PLACE(process_signal_entry),
    PLACE(hypercall_page),
    PLACE(hypercall_wait_begin),
    PLACE(hypercall_wait_instruction),
    PLACE(hypercall_wait_interrupted),
};

#endif
