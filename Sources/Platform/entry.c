#ifdef UNIRUN_GUEST

#include "entry.h"

extern const char image_start[], image_end[];
extern const char system_call_entry_begun[];
extern const char system_call_leave[], system_call_leave_result[], system_call_leave_end[],
    system_call_return[];
extern const char system_call_entry_brief_begun[], system_call_brief_leave[],
    system_call_brief_leave_end[];
extern const char frame_leave[], frame_leave_end[];

#define PLACE(name) .name = (uint64_t)&name

const struct entry_places entry_places = {
    .image = (uint64_t)&image_start,
    PLACE(image_end),
    PLACE(system_call_entry),
    PLACE(system_call_entry_begun),
    PLACE(system_call_entry_stepped),
    PLACE(system_call_entry_brief),
    PLACE(system_call_entry_brief_begun),
    PLACE(system_call_return),
    PLACE(system_call_leave),
    PLACE(system_call_leave_result),
    PLACE(system_call_leave_end),
    PLACE(system_call_brief_leave),
    PLACE(system_call_brief_leave_end),
    PLACE(frame_return),
    PLACE(frame_leave),
    PLACE(frame_leave_end),
    PLACE(kernel_exception),
};

#endif
