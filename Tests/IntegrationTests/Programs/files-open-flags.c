#include "facts.h"

int main(void) {
    outcome("absent", open("absent", O_RDONLY));
    int file = make_file("file", "content");
    struct stat status;
    outcome("exclusive", open("file", O_CREAT | O_EXCL | O_WRONLY, 0600));
    outcome("exclusive, new", open("new", O_CREAT | O_EXCL | O_WRONLY, 0600));
    must(symlink("file", "link"));
    must(symlink("nowhere", "dangling"));
    outcome("exclusive through a dangling link", open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600));
    outcome("not following", open("link", O_RDONLY | O_NOFOLLOW));
    outcome("not following a file", open("file", O_RDONLY | O_NOFOLLOW));
    outcome("create through a dangling link", open("dangling", O_CREAT | O_WRONLY, 0600));
    outcome("it made the target", stat("nowhere", &status));
    must(mkdir("folder", 0755));
    outcome("folder for writing", open("folder", O_WRONLY));
    outcome("folder for reading", open("folder", O_RDONLY));
    outcome("folder, creating", open("folder", O_CREAT | O_RDWR, 0600));
    outcome("a file as a folder", open("file", O_RDONLY | O_DIRECTORY));
    outcome("below a file", open("file/x", O_RDONLY));
    outcome("with a slash at its end", open("file/", O_RDONLY));
    outcome("creating with a slash", open("other/", O_CREAT | O_WRONLY, 0600));
    outcome("empty name", open("", O_RDONLY));
    outcome("bad pointer", open((char *)8, O_RDONLY));
    int append = must(open("file", O_WRONLY | O_APPEND));
    must(lseek(append, 0, SEEK_SET));
    must(write(append, " more", 5));
    char buffer[64] = {0};
    read(file, buffer, 63);
    tell("appended", "%s", buffer);
    int truncated = must(open("file", O_WRONLY | O_TRUNC));
    fstat(file, &status);
    fact("truncated", status.st_size);
    outcome("read of one for writing", read(truncated, buffer, 1));
    int readonly = must(open("file", O_RDONLY));
    outcome("write to one for reading", write(readonly, "x", 1));
    fact("flags", fcntl(append, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    fact("clears append", fcntl(append, F_SETFL, 0));
    fact("close on exec", fcntl(must(open("file", O_RDONLY | O_CLOEXEC)), F_GETFD));
    int path = open("file", O_PATH);
    outcome("path only", path);
    outcome("read of it", read(path, buffer, 1));
    outcome("stat of it", fstat(path, &status));
    int nameless = open(".", O_TMPFILE | O_RDWR, 0600);
    if (nameless >= 0) {
        write(nameless, "x", 1);
        fstat(nameless, &status);
        fact("nameless file's links", status.st_nlink);
    }
    outcome("close", close(file));
    outcome("close again", close(file));
    outcome("creat", creat("made", 0640));
}
