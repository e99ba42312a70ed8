// Attaching to the host's side of a network.
#include "tender_support.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ifreq request_of(const char *name)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    return request;
}

int tender_attach_tap(int device, const char *wanted, char *name)
{
    struct ifreq request = request_of(wanted);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(device, TUNSETIFF, &request) != 0)
        return -errno;
    memcpy(name, request.ifr_name, IFNAMSIZ);
    name[IFNAMSIZ - 1] = 0;
    return 0;
}

// Asks about an interface, or changes it.
static int control(unsigned long kind, struct ifreq *request)
{
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (any < 0)
        return -errno;
    int result = ioctl(any, kind, request) != 0 ? -errno : 0;
    close(any);
    return result;
}

int tender_interface_mtu(const char *name)
{
    struct ifreq request = request_of(name);
    int result = control(SIOCGIFMTU, &request);
    return result < 0 ? result : request.ifr_mtu;
}

int tender_interface_is_up(const char *name)
{
    struct ifreq request = request_of(name);
    int result = control(SIOCGIFFLAGS, &request);
    return result < 0 ? result : (request.ifr_flags & IFF_UP) != 0;
}

int tender_bring_interface_up(const char *name)
{
    struct ifreq request = request_of(name);
    int result = control(SIOCGIFFLAGS, &request);
    if (result < 0)
        return result;
    request.ifr_flags |= IFF_UP;
    return control(SIOCSIFFLAGS, &request);
}
