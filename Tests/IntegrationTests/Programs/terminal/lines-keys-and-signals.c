#include "facts.h"
#include <sys/ioctl.h>
#include <termios.h>

static volatile int caught;
static void note(int number, siginfo_t *info, void *context) { caught = number; }

// As on any terminal, whatever is at its other end; the size is what the program itself sets.
int main(void) {
    struct winsize size = {30, 100};
    struct termios modes;
    fact("terminals", isatty(0) + isatty(1) + isatty(2));
    must(tcgetattr(0, &modes));
    tell("modes", "%d %d %d", (modes.c_lflag & ICANON) != 0, (modes.c_lflag & ECHO) != 0, (modes.c_lflag & ISIG) != 0);
    fact("controls", tcgetpgrp(0) == getpgrp());
    outcome("tty", open("/dev/tty", O_RDWR));
    outcome("seek", lseek(0, 0, SEEK_CUR));
    char line[100] = {0};
    printf("ready for a line\n");
    result("line", read(0, line, 99));
    tell("text", "%s", line);
    printf("ready for the end\n");
    result("end of input", read(0, line, 99));
    install(SIGINT, note, 0);
    printf("ready for an interrupt\n");
    result("interrupted", read(0, line, 99));
    fact("signal", caught);
    struct termios raw = modes;
    raw.c_lflag &= ~(ICANON | ECHO | ISIG);
    raw.c_iflag &= ~ICRNL;
    raw.c_cc[VMIN] = 2, raw.c_cc[VTIME] = 0;
    must(tcsetattr(0, TCSAFLUSH, &raw));
    printf("ready for two bytes\n");
    result("bytes", read(0, line, 99));
    tell("are", "%d %d", line[0], line[1]);
    raw.c_cc[VMIN] = 0, raw.c_cc[VTIME] = 1;
    must(tcsetattr(0, TCSADRAIN, &raw));
    result("nothing in time", read(0, line, 1));
    must(tcsetattr(0, TCSANOW, &modes));
    install(SIGWINCH, note, SA_RESTART);
    outcome("set the size", ioctl(1, TIOCSWINSZ, &size));
    while (caught != SIGWINCH) sleep_ms(1);
    memset(&size, 0, sizeof size);
    must(ioctl(0, TIOCGWINSZ, &size));
    tell("rows, columns", "%d %d", size.ws_row, size.ws_col);
    outcome("drained", tcdrain(1));
    outcome("flushed", tcflush(0, TCIFLUSH));
    signal(SIGINT, SIG_DFL);
    printf("ready for the last interrupt\n");
    sleep_ms(20000);
    return 0;
}
