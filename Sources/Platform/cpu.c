#include "cpu.h"

struct cpu boot_cpu = {.self = &boot_cpu};
