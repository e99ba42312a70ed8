// Says that it begins, and spends its time in one way until SIGTERM.
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void say(const char *text) { write(1, text, strlen(text)); }

// Wherever it comes, also just before the program waits.
static void end(int number)
{
    say("ends\n");
    _exit(0);
}

int main(int count, char **arguments)
{
    const char *way = count > 1 ? arguments[1] : "";
    char byte;
    signal(SIGTERM, end);
    say("begins\n");
    while (1) {
        if (strcmp(way, "sleeps") == 0)
            sleep(1000);
        else if (strcmp(way, "reads") == 0)
            read(0, &byte, 1);
    }
}
