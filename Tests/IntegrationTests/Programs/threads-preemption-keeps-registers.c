// cflags: -mavx2
#include "facts.h"
#include <immintrin.h>

static volatile int stop;

// Every register of each kind is loaded, then compared again and again while others run.
static void *hold(void *argument) {
    long seed = (long)argument * 0x0101010101010101;
    long wrong = 0;
    double x = (long)argument + 0.5, y = x;
    while (!stop) {
        long out[4];
        __asm__ volatile(
            "movq %[seed], %%xmm0\n vpbroadcastq %%xmm0, %%ymm7\n vmovdqa %%ymm7, %%ymm15\n"
            "mov %[seed], %%r8\n mov %[seed], %%r12\n mov %[seed], %%rbx\n"
            "mov $20000, %%ecx\n"
            "1: dec %%ecx\n jnz 1b\n"
            "vpcmpeqq %%ymm7, %%ymm15, %%ymm1\n vpmovmskb %%ymm1, %%eax\n"
            "cmp $-1, %%eax\n jne 2f\n"
            "vextracti128 $1, %%ymm15, %%xmm2\n vmovq %%xmm2, %%rax\n"
            "cmp %[seed], %%rax\n jne 2f\n"
            "cmp %[seed], %%r8\n jne 2f\n cmp %[seed], %%r12\n jne 2f\n cmp %[seed], %%rbx\n jne 2f\n"
            "jmp 3f\n"
            "2: incq %[wrong]\n"
            "3:\n"
            : [wrong] "+r"(wrong)
            : [seed] "r"(seed)
            : "rax", "rbx", "rcx", "r8", "r12", "xmm0", "xmm1", "xmm2", "xmm7", "xmm15", "memory", "cc");
        (void)out;
        x = x * 1.5 / 1.5;
        if (x != y) wrong++;
    }
    return (void *)wrong;
}

int main(void) {
    pthread_t threads[4];
    for (long each = 0; each < 4; each++) pthread_create(&threads[each], NULL, hold, (void *)(each + 1));
    sleep_ms(400);
    stop = 1;
    long total = 0;
    for (int each = 0; each < 4; each++) {
        void *wrong;
        pthread_join(threads[each], &wrong);
        total += (long)wrong;
    }
    fact("wrong", total);
}
