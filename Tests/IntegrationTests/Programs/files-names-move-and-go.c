#include "facts.h"

int main(void) {
    struct stat status;
    close(make_file("one", "first"));
    close(make_file("two", "second file"));
    mkdir("full", 0755), mkdir("empty", 0755), close(make_file("full/inner", "x"));
    outcome("rename over a file", rename("one", "two"));
    stat("two", &status), fact("size", status.st_size);
    outcome("the old name", stat("one", &status));
    outcome("rename absent", rename("one", "three"));
    outcome("file over a folder", rename("two", "empty"));
    outcome("folder over a file", rename("empty", "two"));
    outcome("folder over a full one", rename("empty", "full"));
    outcome("folder over an empty one", rename("full", "empty"));
    outcome("its content came along", stat("empty/inner", &status));
    outcome("into itself", rename("empty", "empty/below"));
    outcome("to itself", rename("two", "two"));
    link("two", "twin");
    outcome("to another name of the same file", rename("two", "twin"));
    outcome("both remain", stat("two", &status)), fact("links", status.st_nlink);
    outcome("noreplace", syscall(SYS_renameat2, AT_FDCWD, "two", AT_FDCWD, "twin", 1));
    outcome("noreplace, free", syscall(SYS_renameat2, AT_FDCWD, "two", AT_FDCWD, "free", 1));
    outcome("exchange", syscall(SYS_renameat2, AT_FDCWD, "free", AT_FDCWD, "empty", 2));
    stat("empty", &status), fact("exchanged", S_ISREG(status.st_mode));
    outcome("exchange with nothing", syscall(SYS_renameat2, AT_FDCWD, "free", AT_FDCWD, "nothing", 2));
    outcome("mkdir there", mkdir("free", 0755));
    outcome("mkdir below nothing", mkdir("nothing/x", 0755));
    outcome("mkdir with a slash", mkdir("slash/", 0755));
    outcome("rmdir full", rmdir("free"));
    outcome("rmdir a file", rmdir("empty"));
    outcome("rmdir .", rmdir("."));
    outcome("rmdir ..", rmdir("slash/.."));
    outcome("rmdir", rmdir("slash"));
    outcome("unlink a folder", unlink("free"));
    outcome("unlink absent", unlink("nothing"));
    outcome("unlinkat a folder", unlinkat(AT_FDCWD, "free", AT_REMOVEDIR));
    outcome("unlinkat bad flags", unlinkat(AT_FDCWD, "free", 1));
    outcome("link a folder", link("free", "other"));
    outcome("link over", link("twin", "empty"));
    outcome("link absent", link("nothing", "other"));
    symlink("twin", "soft");
    outcome("link to a link", link("soft", "hard"));
    lstat("hard", &status), fact("it is a link", S_ISLNK(status.st_mode));
    outcome("following", linkat(AT_FDCWD, "soft", AT_FDCWD, "hard2", AT_SYMLINK_FOLLOW));
    lstat("hard2", &status), fact("it is a file", S_ISREG(status.st_mode));
    outcome("remove of the working folder's child", (chdir("free"), rmdir("../free")));
}
