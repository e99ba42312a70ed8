// What the programs about sockets share.
#ifndef SOCKETS_H
#define SOCKETS_H
#include "facts.h"
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/un.h>

// The address of a path, or with `@` of an abstract name; `length` gets its length.
__attribute__((unused)) static struct sockaddr_un address_of(const char *name, socklen_t *length) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    if (name[0] == '@') address.sun_path[0] = 0;
    *length = offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@');
    return address;
}
__attribute__((unused)) static int bind_to(int file, const char *name) {
    socklen_t length;
    struct sockaddr_un address = address_of(name, &length);
    return bind(file, (struct sockaddr *)&address, length);
}
__attribute__((unused)) static int connect_to(int file, const char *name) {
    socklen_t length;
    struct sockaddr_un address = address_of(name, &length);
    return connect(file, (struct sockaddr *)&address, length);
}
__attribute__((unused)) static ssize_t send_to(int file, const char *name, const char *text) {
    socklen_t length;
    struct sockaddr_un address = address_of(name, &length);
    return sendto(file, text, strlen(text), 0, (struct sockaddr *)&address, length);
}
// A socket that listens at a name.
__attribute__((unused)) static int listen_at(int type, const char *name, int backlog) {
    int file = must(socket(AF_UNIX, type, 0));
    must(bind_to(file, name));
    must(listen(file, backlog));
    return file;
}
// A socket that is connected with a name.
__attribute__((unused)) static int connected_to(int type, const char *name) {
    int file = must(socket(AF_UNIX, type, 0));
    must(connect_to(file, name));
    return file;
}
__attribute__((unused)) static void tell_address(
    const char *what, struct sockaddr_un *address, socklen_t length) {
    printf("%s: length %d", what, (int)length);
    if (length >= 2) printf(" family %d", address->sun_family);
    if (length > 2) {
        int first = address->sun_path[0] == 0;
        printf(" %s\"%.*s\"", first ? "@" : "", (int)(length - 2 - first), address->sun_path + first);
    }
    printf("\n");
}
__attribute__((unused)) static void tell_names(const char *what, int file) {
    struct sockaddr_un address;
    socklen_t length = sizeof address;
    memset(&address, 0x55, sizeof address);
    printf("%s ", what);
    if (getsockname(file, (struct sockaddr *)&address, &length)) result("own name", -1);
    else tell_address("own name", &address, length);
    length = sizeof address;
    printf("%s ", what);
    if (getpeername(file, (struct sockaddr *)&address, &length)) result("peer's name", -1);
    else tell_address("peer's name", &address, length);
}
// What poll finds now, asking for everything.
__attribute__((unused)) static void tell_ready(const char *what, int file) {
    struct pollfd entry = {file, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
    int found = poll(&entry, 1, 0);
    printf("%s: poll %d%s%s%s%s%s%s\n", what, found, entry.revents & POLLIN ? " IN" : "",
        entry.revents & POLLOUT ? " OUT" : "", entry.revents & POLLPRI ? " PRI" : "",
        entry.revents & POLLRDHUP ? " RDHUP" : "", entry.revents & POLLHUP ? " HUP" : "",
        entry.revents & POLLERR ? " ERR" : "");
}
// What a read gives, with the bytes.
__attribute__((unused)) static void tell_received(const char *what, int file, size_t size, int flags) {
    char buffer[512] = {0};
    ssize_t count = recv(file, buffer, size, flags);
    if (count < 0) result(what, count);
    else printf("%s: %zd \"%.*s\"\n", what, count, (int)(count < (ssize_t)size ? count : (ssize_t)size), buffer);
    errno = 0;
}
__attribute__((unused)) static int option(int file, int name) {
    int value = -77;
    socklen_t length = sizeof value;
    return getsockopt(file, SOL_SOCKET, name, &value, &length) ? -errno : value;
}
__attribute__((unused)) static int set_option(int file, int name, int value) {
    return setsockopt(file, SOL_SOCKET, name, &value, sizeof value);
}
#endif
