#include "facts.h"
#include <linux/membarrier.h>

static long barrier(int command, unsigned flags) { return syscall(SYS_membarrier, command, flags, 0); }

int main(void) {
    int least = MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_PRIVATE_EXPEDITED
        | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    fact("has", (barrier(MEMBARRIER_CMD_QUERY, 0) & least) == least);
    result("global", barrier(MEMBARRIER_CMD_GLOBAL, 0));
    result("not registered", barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
    result("register", barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
    result("registered", barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
    result("not this one", barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0));
    result("register it", barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0));
    result("now", barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0));
    result("anybody's", barrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0));
    result("register for anybody's", barrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0));
    result("unknown", barrier(1 << 20, 0));
    result("two", barrier(3, 0));
    result("flags", barrier(MEMBARRIER_CMD_GLOBAL, 4));
}
