#include "ring.h"

static char buffer[8192], page[4096];
static struct ring r;

static struct io_uring_sqe *path(int operation, const char *name, uint64_t data) {
    struct io_uring_sqe *e = ring_next(&r, operation, AT_FDCWD, data);
    e->addr = (uintptr_t)name;
    return e;
}

static void fixed(int file) {
    struct iovec ranges[2] = {{buffer, 4096}, {page, 4096}};
    result("buffers", ring_register(r.fd, IORING_REGISTER_BUFFERS, ranges, 2));
    result("buffers again", ring_register(r.fd, IORING_REGISTER_BUFFERS, ranges, 2));
    memset(page, 'p', sizeof page);
    ring_bytes(&r, IORING_OP_WRITE_FIXED, file, page + 10, 100, 0, 1)->buf_index = 1;
    ring_wait(&r, "write fixed", 1);
    ring_bytes(&r, IORING_OP_READ_FIXED, file, buffer, 100, 0, 2)->buf_index = 0;
    ring_wait(&r, "read fixed", 1), tell("bytes", "%c%c", buffer[0], buffer[99]);
    ring_bytes(&r, IORING_OP_READ_FIXED, file, buffer, 4097, 0, 3)->buf_index = 0;
    ring_wait(&r, "beyond its end", 1);
    ring_bytes(&r, IORING_OP_READ_FIXED, file, page, 10, 0, 4)->buf_index = 0;
    ring_wait(&r, "another buffer", 1);
    ring_bytes(&r, IORING_OP_READ_FIXED, file, page, 10, 0, 5)->buf_index = 7;
    ring_wait(&r, "no such buffer", 1);
    result("no buffers", ring_register(r.fd, IORING_UNREGISTER_BUFFERS, NULL, 0));
    result("no buffers again", ring_register(r.fd, IORING_UNREGISTER_BUFFERS, NULL, 0));
    struct iovec bad[1] = {{(void *)16, 4096}}, none[1] = {{NULL, 10}}, empty[1] = {{page, 0}};
    result("elsewhere", ring_register(r.fd, IORING_REGISTER_BUFFERS, bad, 1));
    result("null", ring_register(r.fd, IORING_REGISTER_BUFFERS, none, 1));
    result("empty", ring_register(r.fd, IORING_REGISTER_BUFFERS, empty, 1));
    result("list elsewhere", ring_register(r.fd, IORING_REGISTER_BUFFERS, (void *)16, 1));
    result("of none", ring_register(r.fd, IORING_REGISTER_BUFFERS, ranges, 0));
}

static void registered(int file) {
    int list[4] = {file, -1, 0, -1}, bad[2] = {0, 77}, ring[1] = {r.fd};
    list[2] = must(dup(file));
    result("bad files", ring_register(r.fd, IORING_REGISTER_FILES, bad, 2));
    result("a ring", ring_register(r.fd, IORING_REGISTER_FILES, ring, 1));
    result("files", ring_register(r.fd, IORING_REGISTER_FILES, list, 4));
    result("files again", ring_register(r.fd, IORING_REGISTER_FILES, list, 4));
    close(list[2]);
    for (int each = 0; each < 5; each++) {
        ring_bytes(&r, IORING_OP_READ, each, buffer, 4, 0, each)->flags = IOSQE_FIXED_FILE;
        ring_wait(&r, "registered", 1);
    }
    struct io_uring_files_update update = {1, 0, (uintptr_t)(int[]){file, -1}};
    result("update", ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &update, 2));
    for (int each = 0; each < 3; each++) {
        ring_bytes(&r, IORING_OP_READ, each, buffer, 4, 0, each)->flags = IOSQE_FIXED_FILE;
        ring_wait(&r, "updated", 1);
    }
    update.offset = 3;
    result("update beyond", ring_register(r.fd, IORING_REGISTER_FILES_UPDATE, &update, 2));
    // Opened to a place instead of a descriptor, linked with a read and a close of it.
    struct io_uring_sqe *e = path(IORING_OP_OPENAT, "ring-file", 1);
    e->open_flags = O_RDONLY, e->file_index = 4, e->flags = IOSQE_IO_LINK;
    e = ring_bytes(&r, IORING_OP_READ, 3, buffer, 6, 0, 2), e->flags = IOSQE_FIXED_FILE | IOSQE_IO_LINK;
    e = ring_next(&r, IORING_OP_CLOSE, 0, 3), e->file_index = 4;
    ring_wait(&r, "open, read, close", 3);
    ring_bytes(&r, IORING_OP_READ, 3, buffer, 6, 0, 2)->flags = IOSQE_FIXED_FILE;
    ring_wait(&r, "closed", 1);
    e = path(IORING_OP_OPENAT, "ring-file", 1), e->file_index = IORING_FILE_INDEX_ALLOC;
    ring_wait(&r, "a free place", 1);
    e = path(IORING_OP_OPENAT, "ring-file", 1), e->file_index = 9;
    ring_wait(&r, "no place", 1);
    result("no files", ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0));
    result("no files again", ring_register(r.fd, IORING_UNREGISTER_FILES, NULL, 0));
}

static void invalid(int file) {
    ring_next(&r, 250, file, 1), ring_next(&r, IORING_OP_NOP, file, 2);
    result("operation", ring_go(&r, 0)), ring_show(&r, "operation");
    ring_enter(r.fd, 1, 0, 0, NULL, 0), ring_show(&r, "left");
    ring_next(&r, IORING_OP_NOP, file, 3)->ioprio = 1, ring_wait(&r, "priority", 1);
    ring_next(&r, IORING_OP_NOP, file, 4)->flags = 128, ring_wait(&r, "flag", 1);
    ring_next(&r, IORING_OP_FSYNC, file, 5)->fsync_flags = 2, ring_wait(&r, "fsync flag", 1);
    ring_next(&r, IORING_OP_FSYNC, file, 6)->addr = 2, ring_wait(&r, "fsync address", 1);
    ring_next(&r, IORING_OP_CLOSE, file, 7)->len = 1, ring_wait(&r, "close length", 1);
    ring_next(&r, IORING_OP_NOP, file, 8)->personality = 3, ring_wait(&r, "personality", 1);
    ring_next(&r, IORING_OP_READ, file, 9)->flags = IOSQE_FIXED_FILE, ring_wait(&r, "no table", 1);
    ring_bytes(&r, IORING_OP_READ, 77, buffer, 4, 0, 10), ring_wait(&r, "not open", 1);
    ring_bytes(&r, IORING_OP_READ, file, (void *)16, 4, 0, 11), ring_wait(&r, "elsewhere", 1);
    ring_bytes(&r, IORING_OP_READ, file, buffer, 4, -2, 12), ring_wait(&r, "negative", 1);
    ring_bytes(&r, IORING_OP_READV, file, buffer, 2000, 0, 13), ring_wait(&r, "ranges", 1);
    int folder = must(open(".", O_RDONLY)), only = must(open("ring-file", O_WRONLY));
    int named = must(open("ring-file", O_PATH));
    ring_bytes(&r, IORING_OP_READ, folder, buffer, 4, 0, 14), ring_wait(&r, "folder", 1);
    ring_bytes(&r, IORING_OP_READ, only, buffer, 4, 0, 15), ring_wait(&r, "not to be read", 1);
    ring_bytes(&r, IORING_OP_READ, named, buffer, 4, 0, 16), ring_wait(&r, "only named", 1);
    ring_next(&r, IORING_OP_CLOSE, r.fd, 17), ring_wait(&r, "the ring itself", 1);
    ring_next(&r, IORING_OP_CLOSE, 77, 18), ring_wait(&r, "close what is not open", 1);
    ring_bytes(&r, IORING_OP_READ, file, buffer, 4, 0, 19)->rw_flags = 1 << 20, ring_wait(&r, "rw flag", 1);
    ring_next(&r, IORING_OP_FSYNC, file, 20)->flags = IOSQE_BUFFER_SELECT, ring_wait(&r, "no buffers to select", 1);
    close(folder), close(only), close(named);
}

int main(void) {
    r = ring_make(16, 0, 0);
    struct io_uring_sqe *e = path(IORING_OP_OPENAT, "ring-file", 1);
    e->open_flags = O_RDWR | O_CREAT | O_EXCL, e->len = 0640;
    must(ring_go(&r, 1));
    int file = ring_peek(&r)->res;
    check(file > 2);
    ++*r.cq_head;
    e = path(IORING_OP_OPENAT, "ring-file", 2), e->open_flags = O_RDWR | O_CREAT | O_EXCL;
    ring_wait(&r, "exists", 1);
    ring_bytes(&r, IORING_OP_WRITE, file, "hello, ring", 11, 0, 3), ring_wait(&r, "write", 1);
    struct iovec parts[3] = {{"one ", 4}, {"two ", 4}, {"three", 5}};
    ring_bytes(&r, IORING_OP_WRITEV, file, parts, 3, 11, 4), ring_wait(&r, "write parts", 1);
    ring_bytes(&r, IORING_OP_READ, file, buffer, 100, 0, 5), ring_wait(&r, "read", 1);
    tell("bytes", "%.24s", buffer);
    ring_bytes(&r, IORING_OP_READ, file, buffer, 5, -1, 6), ring_wait(&r, "at its position", 1);
    ring_bytes(&r, IORING_OP_READ, file, buffer + 5, 5, -1, 7), ring_wait(&r, "behind that", 1);
    tell("bytes", "%.10s", buffer), fact("position", lseek(file, 0, SEEK_CUR));
    memset(buffer, 0, 100);
    struct iovec into[2] = {{buffer, 3}, {buffer + 50, 4}};
    ring_bytes(&r, IORING_OP_READV, file, into, 2, 7, 8), ring_wait(&r, "read parts", 1);
    tell("bytes", "%s %s", buffer, buffer + 50);
    ring_next(&r, IORING_OP_FSYNC, file, 9), ring_wait(&r, "fsync", 1);
    ring_next(&r, IORING_OP_FSYNC, file, 10)->fsync_flags = IORING_FSYNC_DATASYNC, ring_wait(&r, "fdatasync", 1);
    ring_bytes(&r, IORING_OP_READ, file, buffer, 10, 500, 11), ring_wait(&r, "beyond the end", 1);
    // A struct statx, which not all libraries know: where its mode and its size are.
    char status[256] = {0};
    e = path(IORING_OP_STATX, "ring-file", 12), e->off = (uintptr_t)status, e->len = 0x7ff;
    ring_wait(&r, "statx", 1), tell("status", "%ld %o", *(long *)(status + 40), *(unsigned short *)(status + 28));
    e = path(IORING_OP_STATX, "nothing", 13), e->off = (uintptr_t)status, e->len = 0x7ff;
    ring_wait(&r, "statx of nothing", 1);
    e = ring_next(&r, IORING_OP_FALLOCATE, file, 14), e->addr = 5000, e->off = 0;
    ring_wait(&r, "allocate", 1);
    path(IORING_OP_MKDIRAT, "ring-folder", 15)->len = 0755;
    ring_wait(&r, "make a folder", 1);
    e = path(IORING_OP_RENAMEAT, "ring-folder", 16), e->len = AT_FDCWD, e->off = (uintptr_t) "ring-other";
    ring_wait(&r, "rename", 1);
    path(IORING_OP_UNLINKAT, "ring-other", 17), ring_wait(&r, "unlink a folder", 1);
    path(IORING_OP_UNLINKAT, "ring-other", 18)->unlink_flags = AT_REMOVEDIR, ring_wait(&r, "remove", 1);
    invalid(file);
    fixed(file);
    registered(file);
    ring_next(&r, IORING_OP_CLOSE, file, 19), ring_wait(&r, "close", 1);
    result("closed", fcntl(file, F_GETFD));
    unlink("ring-file");
    struct { struct io_uring_probe head; struct io_uring_probe_op of[64]; } probe = {0};
    result("probe", ring_register(r.fd, IORING_REGISTER_PROBE, &probe, 40));
    fact("operations", probe.head.ops_len), fact("sends", probe.of[IORING_OP_SEND].flags & 1);
    result("probe again", ring_register(r.fd, IORING_REGISTER_PROBE, &probe, 40));
    result("no such registration", ring_register(r.fd, 1000, NULL, 0));
    result("of no ring", ring_register(0, IORING_REGISTER_PROBE, NULL, 0));
    return 0;
}
