// The other end of the kernel's filter: seccomp_unotify(2).
#define _GNU_SOURCE
#include "tender_support.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Newer than the headers of Debian 12; Linux has both since 6.6.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

int tender_take_listener(pid_t process, int descriptor)
{
    int handle = (int)syscall(SYS_pidfd_open, process, 0);
    if (handle < 0)
        return -errno;
    int taken = (int)syscall(SYS_pidfd_getfd, handle, descriptor, 0);
    int failure = errno;
    close(handle);
    if (taken < 0)
        return -failure;
    // Who asks sleeps until the answer, so its processor may as well run who answers. Older hosts know
    // nothing of this and answer later.
    ioctl(taken, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP);
    return taken;
}

int tender_answer_copy(int listener, bool is_allowed)
{
    struct seccomp_notif question;
    memset(&question, 0, sizeof question);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) != 0)
        return errno == ENOENT || errno == EINTR ? 0 : -errno;
    struct seccomp_notif_resp answer = {
        .id = question.id,
        .error = is_allowed ? 0 : -EAGAIN,
        .flags = is_allowed ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0,
    };
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) != 0)
        return errno == ENOENT || errno == EINTR ? 0 : -errno;
    return is_allowed;
}
