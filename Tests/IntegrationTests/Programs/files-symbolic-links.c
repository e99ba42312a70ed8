#include "facts.h"

int main(void) {
    char text[64] = {0};
    struct stat status;
    close(make_file("target", "content"));
    outcome("make", symlink("target", "one"));
    symlink("one", "two");
    outcome("two steps", stat("two", &status));
    result("readlink", readlink("two", text, 63));
    tell("text", "%s", text);
    result("cut off", readlink("two", text, 2));
    result("no room", readlink("two", text, 0));
    result("of a file", readlink("target", text, 63));
    result("of nothing", readlink("nothing", text, 63));
    outcome("over a name", symlink("x", "one"));
    outcome("empty target", symlink("", "empty"));
    symlink("loop-b", "loop-a"), symlink("loop-a", "loop-b"), symlink("self", "self");
    outcome("loop", stat("loop-a", &status));
    outcome("itself", open("self", O_RDONLY));
    outcome("lstat of a loop", lstat("loop-a", &status));
    char from[16], to[16];
    strcpy(from, "target");
    for (int each = 0; each < 45; each++) {
        sprintf(to, "chain%d", each);
        symlink(from, to);
        strcpy(from, to);
    }
    outcome("forty links", stat("chain39", &status));
    outcome("forty-one", stat("chain40", &status));
    mkdir("folder", 0755), close(make_file("folder/file", "x"));
    symlink("folder", "way");
    outcome("through a link in the middle", stat("way/file", &status));
    outcome("parent of the target", stat("way/../target", &status));
    outcome("unlink through it", unlink("way/file"));
    outcome("rmdir the link", rmdir("way"));
    outcome("link with a slash", lstat("way/", &status)), fact("is the folder", S_ISDIR(status.st_mode));
    outcome("unlink the link", unlink("way"));
    outcome("folder remains", stat("folder", &status));
    symlink("/dev/null", "absolute");
    outcome("absolute target", stat("absolute", &status)), fact("device", S_ISCHR(status.st_mode));
}
