// Says that it begins, and spends its time in one way until SIGTERM.
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t is_over;

static void end(int number) { is_over = 1; }

static void say(const char *text) { write(1, text, strlen(text)); }

int main(int count, char **arguments)
{
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    const char *way = count > 1 ? arguments[1] : "";
    char byte;
    say("begins\n");
    while (!is_over) {
        if (strcmp(way, "sleeps") == 0)
            sleep(1000);
        else if (strcmp(way, "reads") == 0)
            read(0, &byte, 1);
    }
    say("ends\n");
    return 0;
}
