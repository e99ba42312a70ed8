#include "facts.h"

int main(void) {
    mkdir("folder", 0755);
    int folder = must(open("folder", O_RDONLY | O_DIRECTORY));
    int file = openat(folder, "file", O_CREAT | O_RDWR, 0644);
    outcome("openat", file);
    struct stat status;
    outcome("by path", stat("folder/file", &status));
    outcome("mkdirat", mkdirat(folder, "sub", 0755));
    outcome("symlinkat", symlinkat("file", folder, "link"));
    outcome("linkat", linkat(folder, "file", folder, "twin", 0));
    outcome("renameat", renameat(folder, "twin", AT_FDCWD, "outside"));
    outcome("fstatat", fstatat(folder, "link", &status, AT_SYMLINK_NOFOLLOW));
    fact("a link", S_ISLNK(status.st_mode));
    char text[16] = {0};
    fact("readlinkat", readlinkat(folder, "link", text, 15));
    outcome("faccessat", faccessat(folder, "file", R_OK, 0));
    outcome("unlinkat", unlinkat(folder, "link", 0));
    outcome("unlinkat a folder", unlinkat(folder, "sub", 0));
    outcome("with the flag", unlinkat(folder, "sub", AT_REMOVEDIR));
    outcome("not a folder", openat(file, "x", O_RDONLY));
    outcome("not open", openat(500, "x", O_RDONLY));
    outcome("absolute needs none", openat(500, "/dev/null", O_RDONLY));
    rename("folder", "moved");
    outcome("follows the folder", openat(folder, "file", O_RDONLY));
    unlinkat(folder, "file", 0), rmdir("moved");
    outcome("in a removed folder", openat(folder, "new", O_CREAT | O_RDWR, 0644));
}
