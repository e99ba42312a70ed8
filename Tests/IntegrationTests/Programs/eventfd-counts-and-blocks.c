#include "facts.h"
#include <poll.h>
#include <sys/eventfd.h>

static int event;
static void *add(void *argument) {
    sleep_ms(20);
    eventfd_write(event, 5);
    return NULL;
}
static void *drain(void *argument) {
    sleep_ms(20);
    eventfd_t value;
    eventfd_read(event, &value);
    return NULL;
}

int main(void) {
    eventfd_t value = 0;
    event = must(eventfd(3, EFD_NONBLOCK));
    result("read", eventfd_read(event, &value)), fact("value", value);
    result("empty", eventfd_read(event, &value));
    eventfd_write(event, 2), eventfd_write(event, 40);
    result("sum", eventfd_read(event, &value)), fact("value", value);
    result("all ones", eventfd_write(event, -1));
    result("most", eventfd_write(event, -2));
    result("one more", eventfd_write(event, 1));
    struct pollfd entry = {event, POLLIN | POLLOUT};
    poll(&entry, 1, 0), tell("full", "%x", entry.revents);
    eventfd_read(event, &value), fact("read the most", value == (eventfd_t)-2);
    result("short buffer", read(event, &value, 4));
    close(event);
    event = must(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK));
    for (int each = 0; each < 4; each++) result("semaphore", eventfd_read(event, &value));
    fact("value", value);
    close(event);
    event = must(eventfd(0, 0));
    pthread_t thread;
    pthread_create(&thread, NULL, add, NULL);
    result("blocks", eventfd_read(event, &value)), fact("value", value);
    pthread_join(thread, NULL);
    eventfd_write(event, -2);
    pthread_create(&thread, NULL, drain, NULL);
    result("a write blocks too", eventfd_write(event, 1));
    pthread_join(thread, NULL);
    result("unknown flags", eventfd(0, 3 << 20));
}
