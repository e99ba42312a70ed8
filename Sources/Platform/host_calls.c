#include "host_calls.h"

uint32_t host_call_counts[HOST_CALL_LIMIT];
