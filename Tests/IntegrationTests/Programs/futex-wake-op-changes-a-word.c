#include "facts.h"
#include <linux/futex.h>

static int first, second;

static long wake_op(int operation, int argument, int comparison, int compared) {
    unsigned code = FUTEX_OP(operation, argument, comparison, compared);
    return syscall(SYS_futex, &first, FUTEX_WAKE_OP_PRIVATE, 1, 1L, &second, code);
}

static int sleeping;
static void *wait_here(void *argument) {
    __atomic_add_fetch(&sleeping, 1, 5);
    syscall(SYS_futex, argument, FUTEX_WAIT_PRIVATE, argument == &first ? 0 : 5, NULL, NULL, 0);
    return NULL;
}

int main(void) {
    second = 10;
    result("set", wake_op(FUTEX_OP_SET, 3, FUTEX_OP_CMP_EQ, 10)), fact("word", second);
    result("add", wake_op(FUTEX_OP_ADD, 4, FUTEX_OP_CMP_EQ, 10)), fact("word", second);
    result("or", wake_op(FUTEX_OP_OR, 8, FUTEX_OP_CMP_EQ, 10)), fact("word", second);
    result("and not", wake_op(FUTEX_OP_ANDN, 5, FUTEX_OP_CMP_EQ, 10)), fact("word", second);
    result("xor", wake_op(FUTEX_OP_XOR, 15, FUTEX_OP_CMP_EQ, 10)), fact("word", second);
    result("shift", wake_op(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 9, FUTEX_OP_CMP_EQ, 10)), fact("word", second);
    result("unknown", wake_op(7, 9, FUTEX_OP_CMP_EQ, 10));
    pthread_t one, two;
    second = 5;
    pthread_create(&one, NULL, wait_here, &first);
    pthread_create(&two, NULL, wait_here, &second);
    while (__atomic_load_n(&sleeping, 5) < 2) sched_yield();
    sleep_ms(40);
    result("only the first", wake_op(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_GT, 5));
    pthread_join(one, NULL);
    result("only the second", wake_op(FUTEX_OP_SET, 1, FUTEX_OP_CMP_GE, 5));
    pthread_join(two, NULL);
    fact("word", second);
}
