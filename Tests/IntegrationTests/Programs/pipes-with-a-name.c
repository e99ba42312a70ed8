#include "facts.h"

static void *write_it(void *argument) {
    int file = must(open("fifo", O_WRONLY));
    write(file, "through the fifo", 16);
    close(file);
    return NULL;
}

int main(void) {
    must(mkfifo("fifo", 0600));
    outcome("writer alone, not blocking", open("fifo", O_WRONLY | O_NONBLOCK));
    int idle = open("fifo", O_RDONLY | O_NONBLOCK);
    outcome("reader alone, not blocking", idle);
    char buffer[32] = {0};
    result("nobody writes", read(idle, buffer, 31));
    close(idle);
    pthread_t thread;
    pthread_create(&thread, NULL, write_it, NULL);
    int file = must(open("fifo", O_RDONLY));
    result("read", read(file, buffer, 31));
    tell("text", "%s", buffer);
    pthread_join(thread, NULL);
    result("end", read(file, buffer, 31));
    outcome("both ways", open("fifo", O_RDWR));
    outcome("again", mkfifo("fifo", 0600));
}
