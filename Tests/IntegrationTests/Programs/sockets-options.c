#include "sockets.h"
#include <linux/sockios.h>

static void of(int type, const char *name) {
    int file = must(socket(AF_UNIX, type, 0));
    printf("%s: type %d domain %d protocol %d accepts %d error %d reuse %d broadcast %d keep %d low %d %d rest %d %d\n",
        name, option(file, SO_TYPE), option(file, SO_DOMAIN), option(file, SO_PROTOCOL), option(file, SO_ACCEPTCONN),
        option(file, SO_ERROR), option(file, SO_REUSEADDR), option(file, SO_BROADCAST), option(file, SO_KEEPALIVE),
        option(file, SO_RCVLOWAT), option(file, SO_SNDLOWAT), option(file, SO_OOBINLINE), option(file, SO_PRIORITY));
    close(file);
}
static void set_and_tell(int file, const char *name, int which, int value) {
    int done = set_option(file, which, value);
    printf("%s = %d: %s, now %d\n", name, value, done ? error_name(errno) : "ok", option(file, which));
}

int main(void) {
    of(SOCK_STREAM, "stream");
    of(SOCK_DGRAM, "datagram");
    of(SOCK_RAW, "raw");
    of(SOCK_SEQPACKET, "packets");
    int file = must(socket(AF_UNIX, SOCK_STREAM, AF_UNIX));
    fact("protocol", option(file, SO_PROTOCOL));
    set_and_tell(file, "SO_SNDBUF", SO_SNDBUF, 10000);
    set_and_tell(file, "SO_SNDBUF", SO_SNDBUF, 1);
    set_and_tell(file, "SO_RCVBUF", SO_RCVBUF, 10000);
    set_and_tell(file, "SO_RCVBUF", SO_RCVBUF, 1);
    set_and_tell(file, "SO_REUSEADDR", SO_REUSEADDR, 5);
    set_and_tell(file, "SO_REUSEADDR", SO_REUSEADDR, 0);
    set_and_tell(file, "SO_BROADCAST", SO_BROADCAST, 1);
    set_and_tell(file, "SO_KEEPALIVE", SO_KEEPALIVE, 1);
    set_and_tell(file, "SO_OOBINLINE", SO_OOBINLINE, 1);
    set_and_tell(file, "SO_DONTROUTE", SO_DONTROUTE, 1);
    set_and_tell(file, "SO_PRIORITY", SO_PRIORITY, 3);
    set_and_tell(file, "SO_PRIORITY", SO_PRIORITY, 9);
    set_and_tell(file, "SO_RCVLOWAT", SO_RCVLOWAT, 9);
    set_and_tell(file, "SO_PASSCRED", SO_PASSCRED, 1);
    set_and_tell(file, "SO_PEEK_OFF", SO_PEEK_OFF, 4);
    set_and_tell(file, "SO_PEEK_OFF", SO_PEEK_OFF, -5);
    set_and_tell(file, "SO_REUSEPORT", SO_REUSEPORT, 1);
    result("type is not set", set_option(file, SO_TYPE, 1));
    result("error is not set", set_option(file, SO_ERROR, 1));
    result("domain is not set", set_option(file, SO_DOMAIN, 1));
    result("unknown", set_option(file, 9999, 1));
    fact("unknown", option(file, 9999));
    result("another level", setsockopt(file, 6, 1, &file, 4));
    socklen_t length = 4;
    result("another level", getsockopt(file, 6, 1, &file, &length));
    struct linger linger = {1, 17}, got = {0};
    result("SO_LINGER", setsockopt(file, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    length = sizeof got;
    must(getsockopt(file, SOL_SOCKET, SO_LINGER, &got, &length));
    tell("SO_LINGER", "%d %d %d", got.l_onoff, got.l_linger, length);
    result("short", setsockopt(file, SOL_SOCKET, SO_LINGER, &linger, 4));
    short half = 0;
    length = 2;
    must(getsockopt(file, SOL_SOCKET, SO_TYPE, &half, &length));
    tell("cut", "%d %d", half, length);
    length = 100;
    char large[100];
    must(getsockopt(file, SOL_SOCKET, SO_TYPE, large, &length));
    fact("length", length);
    length = -1;
    result("negative", getsockopt(file, SOL_SOCKET, SO_TYPE, large, &length));
    result("negative", setsockopt(file, SOL_SOCKET, SO_TYPE, large, -1));
    result("too short", setsockopt(file, SOL_SOCKET, SO_REUSEADDR, large, 3));
    length = 4;
    result("nowhere", getsockopt(file, SOL_SOCKET, SO_TYPE, (void *)8, &length));
    result("nowhere", getsockopt(file, SOL_SOCKET, SO_TYPE, large, (void *)8));
    result("nowhere", setsockopt(file, SOL_SOCKET, SO_REUSEADDR, (void *)8, 4));
    struct timeval time = {-1, 0};
    result("negative time", setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    result("short time", setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &time, 8));
    result("not a socket", setsockopt(0, SOL_SOCKET, SO_REUSEADDR, &file, 4));
    result("not open", getsockopt(99, SOL_SOCKET, SO_REUSEADDR, &file, &length));
    int owner = 0;
    result("owner", ioctl(file, SIOCSPGRP, &(int){0}));
    result("owner", ioctl(file, SIOCGPGRP, &owner));
    fact("owner", owner);
    result("FIONBIO", ioctl(file, FIONBIO, &(int){1}));
    fact("flags", fcntl(file, F_GETFL));
    result("a terminal's request", ioctl(file, TCGETS, large));
}
