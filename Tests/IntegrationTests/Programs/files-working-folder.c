#include "facts.h"

static char base[PATH_MAX], now[PATH_MAX];
static const char *where(void) {
    if (!getcwd(now, sizeof now)) return error_name(errno);
    size_t length = strcmp(base, "/") == 0 ? 0 : strlen(base);
    return strncmp(now, base, length) == 0 ? now + length : now;
}

int main(void) {
    getcwd(base, sizeof base);
    mkdir("a", 0755), mkdir("a/b", 0755), mkdir("a/b/c", 0755);
    outcome("chdir", chdir("a/b/c")), tell("in", "%s", where());
    outcome("up", chdir("../..")), tell("in", "%s", where());
    int here = open(".", O_RDONLY | O_DIRECTORY);
    outcome("down", chdir("./b/../b//c")), tell("in", "%s", where());
    outcome("fchdir", fchdir(here)), tell("in", "%s", where());
    int file = make_file("file", "x");
    outcome("chdir to a file", chdir("file"));
    outcome("fchdir to a file", fchdir(file));
    outcome("chdir to nothing", chdir("nothing"));
    outcome("fchdir to none", fchdir(500));
    outcome("rename while inside", rename("b", "renamed"));
    chdir("renamed"), tell("in", "%s", where());
    rename("../renamed", "../again"), tell("in", "%s", where());
    outcome("no room", getcwd(now, 3) ? 0 : -1);
    rmdir("c"), rmdir("../again");
    outcome("gone", getcwd(now, sizeof now) ? 0 : -1);
    outcome("create there", open("x", O_CREAT | O_WRONLY, 0600));
    outcome("leave", chdir(".."));
    tell("in", "%s", where());
    outcome("above the root", chdir("/../..")), getcwd(now, sizeof now), tell("in", "%s", now);
}
