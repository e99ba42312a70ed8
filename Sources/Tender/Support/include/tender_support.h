// What Swift cannot say: vfork, and headers that Swift's Glibc module leaves out.
#pragma once

#include <fts.h>
#include <stdbool.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/types.h>

/// The most descriptors that are given: as many as `HostDescriptor` counts.
#define TENDER_DESCRIPTOR_COUNT 12

/// How the kernel image is to be started.
struct tender_start {
    const char *image;
    char *const *arguments;
    char *const *environment;
    /// For each number the descriptor that is to stand there, or -1 for none. 0 to 2 stay.
    int descriptors[TENDER_DESCRIPTOR_COUNT];
    /// Where standard error goes; zero for where this process's goes.
    int errors;
    /// Stop at the image's first instruction, open to any debugger of the same user.
    bool stop_for_debugger;
    /// In a process group of its own, so that the terminal's signals pass it by.
    bool has_own_group;
};

/// Starts the image as a child that dies with the calling thread; the pid, or a negated errno.
///
/// The child's signal mask is empty, and it holds no descriptor but those asked for.
pid_t tender_start_kernel(const struct tender_start *start);

/// A descriptor (O_PATH) for `path` in the folder `root`, as if that were `/`: no link leads out of
/// it. A negated errno when that fails (openat2(2)).
int tender_find_in_root(const char *root, const char *path);

/// Reads names of an open folder as getdents64(2) does: bytes, or a negated errno.
long tender_read_directory(int folder, void *records, size_t size);

/// An empty anonymous file, close-on-exec; -1 with `errno` set when that fails (memfd_create(2)).
int tender_memory_file(const char *name);

/// Whether the processor has XGETBV with %ecx = 1, which the C library asked CPUID at its start.
bool tender_tells_vector_use(void);

/// Sets bits of a word that another process changes too; what it was before.
static inline uint64_t tender_add_bits(uint64_t *word, uint64_t bits) {
    return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

/// A copy of another process's descriptor, on which its filter asks, or a negated errno (pidfd_getfd(2)).
int tender_take_listener(pid_t process, int descriptor);

/// Answers one call that a filter asks about on `listener`: it goes on, or fails with EAGAIN. One when it
/// went on, zero when it did not or was taken back, else a negated errno (seccomp_unotify(2)).
int tender_answer_copy(int listener, bool is_allowed);

/// How many of the host's processors this process may run on.
int tender_processor_count(void);

/// Room for the name of a network interface, with its zero byte (IFNAMSIZ).
#define TENDER_INTERFACE_NAME_SIZE 16

/// Makes an open /dev/net/tun the other end of the interface `wanted`, or of a new one of a name that the
/// host chooses where that is empty; `name` becomes what it is called. Zero, or a negated errno.
int tender_attach_tap(int device, const char *wanted, char *name);

/// Bytes of the largest packet that the interface takes, or a negated errno.
int tender_interface_mtu(const char *name);

/// Whether the interface is up; a negated errno when there is no such.
int tender_interface_is_up(const char *name);

/// Zero, or a negated errno.
int tender_bring_interface_up(const char *name);
