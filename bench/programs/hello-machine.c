// hello for machines: marks main and the end of its write. As a Linux machine's /init it powers off.
#include <sys/reboot.h>
#include <unistd.h>

#include "mark.h"

int main(void) {
    MARK(0);
    write(1, "hello\n", 6);
    MARK(1);
    if (getpid() == 1) reboot(RB_AUTOBOOT);
    return 0;
}
