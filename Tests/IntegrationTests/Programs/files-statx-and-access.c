// libc: glibc
#include "facts.h"

int main(void) {
    umask(0);
    int file = make_file("file", "text");
    struct statx extended;
    outcome("statx", statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &extended));
    tell("fields", "%o %u %llu %llu", extended.stx_mode, extended.stx_nlink, (long long)extended.stx_size,
        (long long)extended.stx_blocks);
    fact("asked is given", (extended.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
    outcome("empty path", statx(file, "", AT_EMPTY_PATH, STATX_SIZE, &extended));
    outcome("absent", statx(AT_FDCWD, "absent", 0, STATX_SIZE, &extended));
    outcome("reserved mask", statx(AT_FDCWD, "file", 0, STATX__RESERVED, &extended));
    outcome("exists", access("file", F_OK));
    outcome("readable", access("file", R_OK | W_OK));
    outcome("not executable", access("file", X_OK));
    chmod("file", 0755);
    outcome("executable", access("file", X_OK));
    outcome("absent", access("absent", F_OK));
    outcome("bad mode", access("file", 64));
    outcome("bad descriptor", faccessat(500, "file", F_OK, 0));
    outcome("effective", faccessat(AT_FDCWD, "file", R_OK, AT_EACCESS));
    symlink("absent", "dangling");
    outcome("dangling", access("dangling", F_OK));
    outcome("the link itself", faccessat(AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW));
}
