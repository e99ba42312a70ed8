#include "sockets.h"

int main(void) {
    char name[64];
    snprintf(name, sizeof name, "@unirun-test-%d", getpid());
    int listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("bind", bind_to(listener, name));
    result("bind again", bind_to(listener, name));
    int other = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("bind another", bind_to(other, name));
    int packets = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    result("connect datagrams to a stream", connect_to(packets, name));
    result("bind datagrams to the same name", bind_to(packets, name));
    must(listen(listener, 3));
    result("connect", connect_to(other, name));
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address;
    must(getpeername(other, (struct sockaddr *)&address, &length));
    fact("name", memcmp(address.sun_path + 1, name + 1, strlen(name) - 1) == 0);
    fact("length", length == 2 + strlen(name));

    // The bytes count, NULs too.
    struct sockaddr_un bytes = {.sun_family = AF_UNIX, .sun_path = "\0a\0b"};
    int first = must(socket(AF_UNIX, SOCK_STREAM, 0)), second = must(socket(AF_UNIX, SOCK_STREAM, 0));
    memcpy(bytes.sun_path + 5, name, 20);
    result("bytes", bind(first, (struct sockaddr *)&bytes, 2 + 24));
    result("the same bytes", bind(second, (struct sockaddr *)&bytes, 2 + 24));
    result("fewer bytes", bind(second, (struct sockaddr *)&bytes, 2 + 23));
    close(first), close(second);
    first = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("bytes whose socket is gone", bind(first, (struct sockaddr *)&bytes, 2 + 24));
    result("connect where nobody listens", connect_to(must(socket(AF_UNIX, SOCK_STREAM, 0)), "@nobody here"));

    // A name by itself.
    int automatic = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    struct sockaddr_un family = {.sun_family = AF_UNIX};
    result("by itself", bind(automatic, (struct sockaddr *)&family, 2));
    result("again", bind(automatic, (struct sockaddr *)&family, 2));
    length = sizeof address;
    must(getsockname(automatic, (struct sockaddr *)&address, &length));
    int digits = 0;
    for (int index = 1; index < 6; index++) digits += strchr("0123456789abcdef", address.sun_path[index]) != NULL;
    tell("its name", "%d %d %d", (int)length, address.sun_path[0], digits);
    int sender = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    result("send to it", sendto(sender, "x", 1, 0, (struct sockaddr *)&address, length));
    result("bind to a family alone that is another", (family.sun_family = AF_INET, bind(sender, (struct sockaddr *)&family, 2)));

    // They are told of.
    FILE *table = fopen("/proc/net/unix", "r");
    char line[512];
    int heads = 0, found = 0;
    while (table && fgets(line, sizeof line, table)) {
        if (strncmp(line, "Num       RefCount Protocol Flags    Type St Inode Path", 55) == 0) heads++;
        char *place = strstr(line, name);
        if (place && place[strlen(name)] == '\n' && strstr(line, ": 00000002 00000000 00010000 0001 01 ")) found++;
    }
    fact("table", heads);
    fact("listener in the table", found);
}
