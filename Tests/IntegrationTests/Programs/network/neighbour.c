// The host's side of a machine's network, in a network namespace of its own: makes a tap, starts the
// command, which is to be at the other end of it as 10.9.8.2, and says what came of talking to it.
//
// usage: neighbour WHAT COMMAND ARG...; status 77 where the privilege to do so is missing.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TAP "unirun-test"
static const char own_address[] = "10.9.8.1", machine_address[] = "10.9.8.2";
enum { LARGEST_PACKET = 9000, PATIENCE = 20000, NO_PRIVILEGE = 77 };

static void fail(const char *what)
{
    fprintf(stderr, "neighbour: %s: %s\n", what, strerror(errno));
    exit(1);
}

// MARK: The namespace

static void write_file(const char *path, const char *text)
{
    int file = open(path, O_WRONLY);
    if (file < 0 || write(file, text, strlen(text)) < 0)
        fail(path);
    close(file);
}

static void enter_namespace(void)
{
    char map[64];
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) == 0)
        return;
    snprintf(map, sizeof map, "0 %d 1", (int)getuid());
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0) {
        fprintf(stderr, "no network namespace: %s\n", strerror(errno));
        exit(NO_PRIVILEGE);
    }
    write_file("/proc/self/uid_map", map);
}

static void control(unsigned long kind, struct ifreq *request, const char *what)
{
    int any = socket(AF_INET, SOCK_DGRAM, 0);
    strcpy(request->ifr_name, TAP);
    if (any < 0 || ioctl(any, kind, request) != 0)
        fail(what);
    close(any);
}

static void make_tap(void)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    int tap = open("/dev/net/tun", O_RDWR);
    strcpy(request.ifr_name, TAP);
    if (tap < 0 || ioctl(tap, TUNSETIFF, &request) != 0) {
        fprintf(stderr, "no tap: %s\n", strerror(errno));
        exit(NO_PRIVILEGE);
    }
    // It stays when the machine takes this one's place.
    if (ioctl(tap, TUNSETPERSIST, 1) != 0)
        fail("keeping the tap");
    close(tap);
    request.ifr_mtu = LARGEST_PACKET;
    control(SIOCSIFMTU, &request, "packet size");
    struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    inet_pton(AF_INET, own_address, &address->sin_addr);
    control(SIOCSIFADDR, &request, "address");
    inet_pton(AF_INET, "255.255.255.0", &address->sin_addr);
    control(SIOCSIFNETMASK, &request, "mask");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    control(SIOCSIFFLAGS, &request, "bringing the tap up");
}

static void remove_tap(void)
{
    struct {
        struct nlmsghdr head;
        struct ifinfomsg which;
    } request = {
        .head = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_DELLINK, .nlmsg_flags = NLM_F_REQUEST},
        .which = {.ifi_index = (int)if_nametoindex(TAP)},
    };
    int routes = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (routes < 0 || send(routes, &request, sizeof request, 0) != sizeof request)
        fail("removing the tap");
    close(routes);
}

// MARK: The machine

static pid_t start(char **command, int *output, int takes_errors)
{
    int ends[2];
    // Nothing is ever written to its input, and it does not end either.
    int input[2];
    if (pipe(ends) != 0 || pipe(input) != 0)
        fail("pipe");
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(input[0], 0);
        dup2(ends[1], 1);
        if (takes_errors)
            dup2(ends[1], 2);
        execv(command[0], command);
        fail(command[0]);
    }
    close(ends[1]);
    close(input[0]);
    *output = ends[0];
    return child;
}

static void expect_line(int output, const char *line)
{
    char text[80] = "";
    size_t length = 0;
    while (length < strlen(line)) {
        struct pollfd entry = {.fd = output, .events = POLLIN};
        if (poll(&entry, 1, PATIENCE) <= 0 || read(output, text + length, 1) != 1)
            break;
        length++;
    }
    printf("says %s", strcmp(text, line) == 0 ? text : "something else\n");
}

static void end(pid_t child, int output)
{
    int status = 0;
    kill(child, SIGTERM);
    expect_line(output, "ends\n");
    waitpid(child, &status, 0);
    printf("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

// MARK: Echoes

static uint16_t checksum(const uint8_t *bytes, size_t count)
{
    uint32_t sum = 0;
    for (size_t each = 0; each < count; each++)
        sum += each % 2 == 0 ? bytes[each] << 8 : bytes[each];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static int milliseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int)(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

// One echo request with so much data; whether the same data came back.
static int is_answered(int size)
{
    static uint16_t sequence;
    uint8_t sent[2048] = {ICMP_ECHO}, got[4096];
    int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    struct sockaddr_in machine = {.sin_family = AF_INET};
    inet_pton(AF_INET, machine_address, &machine.sin_addr);
    if (raw < 0)
        fail("raw socket");
    sequence++;
    sent[4] = 0x4d, sent[5] = 0x5e, sent[6] = sequence >> 8, sent[7] = (uint8_t)sequence;
    for (int each = 0; each < size; each++)
        sent[8 + each] = (uint8_t)(each * 7 + sequence);
    uint16_t sum = checksum(sent, 8 + size);
    memcpy(sent + 2, &sum, 2);
    if (sendto(raw, sent, 8 + size, 0, (void *)&machine, sizeof machine) != 8 + size)
        fail("echo request");
    int is_right = 0, deadline = milliseconds() + PATIENCE;
    while (!is_right && milliseconds() < deadline) {
        struct pollfd entry = {.fd = raw, .events = POLLIN};
        if (poll(&entry, 1, deadline - milliseconds()) <= 0)
            break;
        ssize_t count = recv(raw, got, sizeof got, 0);
        // Behind a head without options; the sum is the host's to check.
        is_right = count == 20 + 8 + size && got[20] == ICMP_ECHOREPLY && got[21] == 0
            && memcmp(got + 24, sent + 4, 4 + size) == 0;
    }
    close(raw);
    return is_right;
}

static void ping(int size, int count)
{
    int answers = 0;
    for (int each = 0; each < count; each++)
        answers += is_answered(size);
    printf("%d of %d echoes of %d bytes\n", answers, count, size);
}

// What the host's own ARP has learned.
static void tell_card(void)
{
    struct arpreq request = {.arp_dev = TAP};
    struct sockaddr_in *address = (struct sockaddr_in *)&request.arp_pa;
    address->sin_family = AF_INET;
    inet_pton(AF_INET, machine_address, &address->sin_addr);
    int any = socket(AF_INET, SOCK_DGRAM, 0);
    if (ioctl(any, SIOCGARP, &request) != 0)
        fail("neighbour table");
    const uint8_t *card = (const uint8_t *)request.arp_ha.sa_data;
    printf("card %02x:%02x:%02x:%02x:%02x:%02x\n", card[0], card[1], card[2], card[3], card[4],
           card[5]);
    close(any);
}

// MARK: Frames that are none

static uint64_t state = 1;

static uint32_t any_below(uint32_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % bound;
}

static size_t put_packet(uint8_t *frame, size_t data, uint16_t fragment)
{
    static const uint8_t head[] = {2,    0x55, 10, 9, 8, 2, 2, 0, 0, 0,  0,  9, 8, 0,
                                   0x45, 0,    0,  0, 0, 7, 0, 0, 64, 1, 0,  0, 10, 9,
                                   8,    1,    10, 9, 8, 2, 8, 0, 0, 0,  1,  2, 3, 4};
    size_t total = 28 + data;
    memcpy(frame, head, sizeof head);
    memset(frame + sizeof head, 0x33, data);
    frame[16] = total >> 8, frame[17] = (uint8_t)total;
    frame[20] = fragment >> 8, frame[21] = (uint8_t)fragment;
    uint16_t sum = checksum(frame + 14, 20);
    memcpy(frame + 24, &sum, 2);
    sum = checksum(frame + 34, 8 + data);
    memcpy(frame + 36, &sum, 2);
    return 14 + total;
}

static size_t put_question(uint8_t *frame)
{
    static const uint8_t question[] = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 9, 8, 6,
                                       0,   1,   8,   0,   6,   4,   0, 1, 2, 0, 0, 0, 0, 9,
                                       10,  9,   8,   9,   0,   0,   0, 0, 0, 0, 10, 9, 8, 2};
    memcpy(frame, question, sizeof question);
    return sizeof question;
}

// Echo requests and questions with some bytes changed, cut off or too long, and noise.
static size_t put_garbage(uint8_t *frame)
{
    for (size_t each = 0; each < 14 + LARGEST_PACKET; each++)
        frame[each] = (uint8_t)any_below(256);
    uint32_t kind = any_below(4);
    size_t length = kind == 0 ? 14 + any_below(LARGEST_PACKET + 1)
        : kind == 1           ? put_question(frame)
                              : put_packet(frame, any_below(LARGEST_PACKET - 28), 0);
    if (kind == 0 && any_below(2))
        put_question(frame);
    // Its head is right only if nothing is changed: no fragment comes of it by chance.
    for (uint32_t changes = 1 + any_below(4); changes > 0; changes--)
        frame[12 + any_below(30)] ^= (uint8_t)(1 + any_below(255));
    return any_below(3) == 0 && length > 14 ? 14 + any_below((uint32_t)(length - 14)) : length;
}

static void send_frame(int raw, const uint8_t *frame, size_t length)
{
    // The tap's queue may be full.
    while (send(raw, frame, length, 0) < 0) {
        if (errno != ENOBUFS && errno != EAGAIN)
            fail("frame");
        usleep(1000);
    }
}

static void throw_garbage(void)
{
    static uint8_t frame[14 + LARGEST_PACKET];
    struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(TAP)};
    int raw = socket(AF_PACKET, SOCK_RAW, 0);
    if (raw < 0 || bind(raw, (void *)&place, sizeof place) != 0)
        fail("packet socket");
    int answers = 0, rounds = 30;
    for (int round = 0; round < rounds; round++) {
        for (int each = 0; each < 64; each++)
            send_frame(raw, frame, put_garbage(frame));
        answers += is_answered(56);
    }
    printf("%d of %d echoes among garbage\n", answers, rounds);
    const uint16_t fragments[] = {0x2000, 0x2001, 0x0001, 0x1fff, 0x3fff};
    for (size_t each = 0; each < 5; each++)
        send_frame(raw, frame, put_packet(frame, 24, fragments[each]));
    close(raw);
}

// MARK: What is missing

static void run_without_privilege(char **command)
{
    if (prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN) != 0)
        fail("giving a capability up");
    execv(command[0], command);
    fail(command[0]);
}

static void run_without_device(char **command)
{
    if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("none", "/dev/net", "tmpfs", 0, NULL) != 0)
        fail("hiding /dev/net");
    execv(command[0], command);
    fail(command[0]);
}

int main(int count, char **arguments)
{
    const char *what = count > 1 ? arguments[1] : "";
    char **command = arguments + 2;
    int output;
    setvbuf(stdout, NULL, _IOLBF, 0);
    enter_namespace();
    make_tap();
    if (strcmp(what, "probe") == 0)
        return 0;
    if (strcmp(what, "without-privilege") == 0)
        run_without_privilege(command);
    if (strcmp(what, "without-device") == 0)
        run_without_device(command);
    int loses = strcmp(what, "loses") == 0;
    pid_t machine = start(command, &output, loses);
    expect_line(output, "begins\n");
    // The program gets to what it does next.
    usleep(300000);
    if (strcmp(what, "pings") == 0) {
        ping(56, 4);
        ping(0, 2);
        ping(1472, 2);
        tell_card();
    } else if (loses) {
        ping(56, 1);
        remove_tap();
        expect_line(output, "unirun: the interface " TAP " is gone, and with it the network\n");
    } else {
        throw_garbage();
        ping(56, 4);
    }
    end(machine, output);
    return 0;
}
