#include "sockets.h"

int main(void) {
    umask(022);
    mkdir("made", 0755);
    int listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("connect to nothing", connect_to(listener, "made/socket"));
    result("listen without a name", listen(listener, 5));
    result("bind", bind_to(listener, "made/socket"));
    result("bind again", bind_to(listener, "made/other"));
    result("bind again to the same", bind_to(listener, "made/socket"));
    tell_names("bound", listener);
    struct stat status;
    must(lstat("made/socket", &status));
    tell("its file", "%o %ld", status.st_mode, (long)status.st_size);
    result("open", open("made/socket", O_RDWR));
    int other = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("bind another", bind_to(other, "made/socket"));
    result("bind below", bind_to(other, "made/socket/below"));
    result("bind nowhere", bind_to(other, "missing/socket"));
    result("bind with a slash", bind_to(other, "made/new/"));
    result("connect before listen", connect_to(other, "made/socket"));
    result("listen", listen(listener, 5));
    fact("listening", option(listener, SO_ACCEPTCONN));
    result("connect", connect_to(other, "made/socket"));
    result("connect again", connect_to(other, "made/socket"));
    tell_names("client", other);
    struct sockaddr_un from;
    socklen_t length = sizeof from;
    int accepted = must(accept(listener, (struct sockaddr *)&from, &length));
    tell_address("accepted from", &from, length);
    tell_names("accepted", accepted);
    fact("accepted listens", option(accepted, SO_ACCEPTCONN));
    write(other, "over", 4);
    tell_received("received", accepted, 10, 0);
    struct sockaddr_un short_address;
    memset(&short_address, 'z', sizeof short_address);
    length = 6;
    must(getsockname(accepted, (struct sockaddr *)&short_address, &length));
    tell("cut name", "%d %.6s", (int)length, short_address.sun_path);
    length = -1;
    result("negative length", getsockname(accepted, (struct sockaddr *)&short_address, &length));

    // Names move with their files.
    must(rename("made/socket", "made/renamed"));
    int client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("connect to the old name", connect_to(client, "made/socket"));
    result("connect to the new name", connect_to(client, "made/renamed"));
    must(link("made/renamed", "made/linked"));
    client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("connect to another link", connect_to(client, "made/linked"));
    must(symlink("linked", "made/symbolic"));
    client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("connect by a symbolic link", connect_to(client, "made/symbolic"));
    client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("bind at a symbolic link", bind_to(client, "made/symbolic"));
    client = must(socket(AF_UNIX, SOCK_DGRAM, 0));
    result("connect a datagram socket", connect_to(client, "made/linked"));
    result("connect to a file", (close(open("made/file", O_CREAT | O_WRONLY, 0644)), connect_to(client, "made/file")));
    result("connect to a folder", connect_to(client, "made"));
    tell_names("accepted", accepted);

    // A name outlives its socket, which nobody answers at then.
    close(listener);
    client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("connect when it is closed", connect_to(client, "made/linked"));
    result("bind where it was", bind_to(client, "made/linked"));
    result("unlink", unlink("made/linked"));
    result("bind then", bind_to(client, "made/linked"));
    tell_ready("a connection nobody took", other);
    write(accepted, "still", 5);
    tell_received("one that was taken", other, 10, 0);

    // Modes and users.
    listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
    umask(077);
    must(bind_to(listener, "made/private"));
    must(listen(listener, 5));
    must(lstat("made/private", &status));
    tell("mode", "%o", status.st_mode);
    chmod("made", 0755), chmod(".", 0755);
    must(seteuid(1000));
    client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("connect as another", connect_to(client, "made/private"));
    result("bind as another", bind_to(client, "made/theirs"));
    must(seteuid(0));
    chmod("made/private", 0722);
    must(seteuid(1000));
    result("connect with leave to write", connect_to(client, "made/private"));
    must(seteuid(0));

    // Lengths.
    char path[200];
    memset(path, 'n', sizeof path);
    struct sockaddr_un longest = {.sun_family = AF_UNIX};
    memset(longest.sun_path, 'n', sizeof longest.sun_path);
    client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("longest", bind(client, (struct sockaddr *)&longest, sizeof longest));
    struct sockaddr_storage name;
    length = sizeof name;
    must(getsockname(client, (struct sockaddr *)&name, &length));
    fact("its length", length);
    path[108] = 0;
    result("its file", access(path, F_OK));
    client = must(socket(AF_UNIX, SOCK_STREAM, 0));
    result("too long", bind(client, (struct sockaddr *)&longest, sizeof longest + 1));
    result("much too long", bind(client, (struct sockaddr *)&longest, 129));
    result("no family", bind(client, (struct sockaddr *)&longest, 1));
    result("negative", bind(client, (struct sockaddr *)&longest, -1));
    result("nowhere", bind(client, (struct sockaddr *)8, 10));
    longest.sun_family = AF_INET;
    result("another family", bind(client, (struct sockaddr *)&longest, 10));
    result("another family", connect(client, (struct sockaddr *)&longest, 10));
    result("not a socket", bind(0, (struct sockaddr *)&longest, 10));
    result("not open", bind(77, (struct sockaddr *)&longest, 10));
}
