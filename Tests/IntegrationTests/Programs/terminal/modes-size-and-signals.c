#include "facts.h"
#include <sys/ioctl.h>
#include <termios.h>

static volatile int caught;
static void note(int number, siginfo_t *info, void *context) { caught = number; }

// A terminal turns \n into \r\n, so what is printed here shows its modes as well.
int main(void) {
    struct winsize size;
    struct termios modes;
    fact("terminals", isatty(0) + isatty(1) + isatty(2));
    outcome("size", ioctl(1, TIOCGWINSZ, &size));
    tell("rows, columns", "%d %d", size.ws_row, size.ws_col);
    must(tcgetattr(0, &modes));
    tell("modes", "%d %d %d", (modes.c_lflag & ICANON) != 0, (modes.c_lflag & ECHO) != 0, (modes.c_lflag & ISIG) != 0);
    fact("controls", tcgetpgrp(0) == getpgrp());
    outcome("tty", open("/dev/tty", O_RDWR));
    struct stat own, named;
    char *name = ttyname(0);
    must(fstat(0, &own));
    fact("has a name", name && stat(name, &named) == 0 && named.st_rdev == own.st_rdev);
    char line[100] = {0};
    printf("ready for a line\n");
    result("line", read(0, line, 99));
    tell("text", "%s", line);
    install(SIGINT, note, 0);
    printf("ready for an interrupt\n");
    result("interrupted", read(0, line, 99));
    fact("signal", caught);
    struct termios raw = modes;
    raw.c_lflag &= ~(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 1, raw.c_cc[VTIME] = 0;
    must(tcsetattr(0, TCSANOW, &raw));
    printf("ready for a byte\n");
    result("byte", read(0, line, 1));
    fact("is", line[0]);
    printf("ready for the interrupt character\n");
    result("byte", read(0, line, 1));
    fact("is", line[0]);
    raw.c_cc[VMIN] = 0, raw.c_cc[VTIME] = 1;
    tcsetattr(0, TCSANOW, &raw);
    result("nothing in time", read(0, line, 1));
    tcsetattr(0, TCSANOW, &modes);
    install(SIGWINCH, note, SA_RESTART);
    printf("ready for another size\n");
    while (caught != SIGWINCH) sleep_ms(1);
    ioctl(1, TIOCGWINSZ, &size);
    tell("rows, columns", "%d %d", size.ws_row, size.ws_col);
    printf("ready for the end\n");
    result("end of input", read(0, line, 99));
    signal(SIGINT, SIG_DFL);
    printf("ready for the last interrupt\n");
    sleep_ms(20000);
    return 0;
}
