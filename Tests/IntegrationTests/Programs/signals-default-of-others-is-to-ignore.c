#include "facts.h"

int main(void) {
    int ignored[] = {SIGCHLD, SIGURG, SIGWINCH, SIGCONT};
    for (int each = 0; each < 4; each++) outcome("kill", kill(getpid(), ignored[each]));
    signal(SIGTERM, SIG_IGN);
    outcome("ignored by request", raise(SIGTERM));
    printf("still here\n");
    signal(SIGTERM, SIG_DFL);
    pthread_kill(pthread_self(), SIGTERM);
}
