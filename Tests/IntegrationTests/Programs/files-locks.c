#include "facts.h"
#include <sys/file.h>

static struct flock region(short type, off_t start, off_t length) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
}

int main(void) {
    int file = make_file("file", "0123456789"), other = must(open("file", O_RDWR));
    struct flock lock = region(F_WRLCK, 0, 5);
    outcome("set", fcntl(file, F_SETLK, &lock));
    lock = region(F_WRLCK, 0, 10);
    outcome("the same process again", fcntl(other, F_SETLK, &lock));
    lock = region(F_WRLCK, 0, 0);
    outcome("who holds it", fcntl(file, F_GETLK, &lock)), fact("nobody else", lock.l_type == F_UNLCK);
    lock = region(F_UNLCK, 2, 3);
    outcome("unlock the middle", fcntl(file, F_SETLKW, &lock));
    lock = region(7, 0, 0);
    outcome("unknown type", fcntl(file, F_SETLK, &lock));
    lock = region(F_WRLCK, -5, 1);
    outcome("negative start", fcntl(file, F_SETLK, &lock));
    int reader = must(open("file", O_RDONLY));
    lock = region(F_WRLCK, 0, 1);
    outcome("write lock of a reader", fcntl(reader, F_SETLK, &lock));
    lock = region(F_WRLCK, 0, 4);
    outcome("of the description", fcntl(file, F_OFD_SETLK, &lock));
    lock = region(F_RDLCK, 2, 4);
    outcome("by another description", fcntl(other, F_OFD_SETLK, &lock));
    outcome("flock", flock(file, LOCK_EX));
    outcome("by another description", flock(other, LOCK_EX | LOCK_NB));
    outcome("down to shared", flock(file, LOCK_SH));
    outcome("shared by another", flock(other, LOCK_SH | LOCK_NB));
    outcome("both gone", (flock(file, LOCK_UN), flock(other, LOCK_EX | LOCK_NB)));
    close(other);
    outcome("a closed one lets go", flock(file, LOCK_EX | LOCK_NB));
    outcome("nonsense", flock(file, 77));
}
