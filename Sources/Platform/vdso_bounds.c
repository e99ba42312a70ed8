#ifndef UNIRUN_GUEST

#include "platform.h"

/* Hosted tests have no vDSO. */
const uint64_t vdso_image_bounds[2];

#endif
