/* The contract between the kernel and the world it runs in.
 *
 * The entry that ran (Linux process or machine) fills one boot_information and one
 * platform_operations and calls kernel_start. Everything the kernel needs of the outside passes
 * through here; it knows nothing else of the host. Checks are done once, above the contract:
 * the operations trust their arguments, and return zero or more, or a negated errno.
 *
 * Unless an operation says otherwise it may be called only by the holder of the kernel, with a
 * kernel stack, and it neither blocks nor calls back.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "context.h"
#include "cpu.h"
#include "cycles.h"
#include "entry.h"
#include "kernel_memory.h"
#include "trap_frame.h"
#include "user_copy.h"
#include "vdso_data.h"
#include "vector_state.h"

#define PLATFORM_VERSION 1

enum platform_world { PLATFORM_PROCESS = 1, PLATFORM_VIRTUAL = 2, PLATFORM_FAKE = 3 };

/* The sources that pages of a guest mapping can come from. */
enum platform_image {
    PLATFORM_IMAGE_PROGRAM = 0, /* the file that unirun was given */
    PLATFORM_IMAGE_ROOT = 1,    /* the root file system's image */
};

/* Streams to and from the outside. */
enum platform_stream {
    PLATFORM_STREAM_INPUT = 0,
    PLATFORM_STREAM_OUTPUT = 1,
    PLATFORM_STREAM_ERROR = 2,
    PLATFORM_STREAM_CONTROL = 6,
    PLATFORM_STREAM_TRACE = 8,
    PLATFORM_STREAM_STATISTICS = 9,
    PLATFORM_STREAM_CORE = 11,
};

enum platform_clock { PLATFORM_CLOCK_MONOTONIC = 1, PLATFORM_CLOCK_REALTIME = 0 };

/* Protection of guest pages: the bits of mmap(2). */
enum platform_protection { PLATFORM_READ = 1, PLATFORM_WRITE = 2, PLATFORM_EXECUTE = 4 };

struct boot_information {
    uint32_t version; /* PLATFORM_VERSION */
    uint32_t world;   /* enum platform_world */
    /* The launch record (Sources/LaunchRecord), readable as long as the kernel runs. */
    const void *_Nonnull launch_record;
    uint64_t launch_record_size;
    /* All of the machine's memory, mapped at one place, zero where it was never written. */
    void *_Nonnull memory;
    uint64_t memory_size; /* bytes, a multiple of the page size */
    /* Bounds of the guest's part of the address space above the kernel image. */
    uint64_t user_start, user_end;
    /* How the program may tell the time without a call; all zero when it cannot. */
    struct vdso_data user_clock;
    uint64_t hwcap, hwcap2;
    uint64_t processors;
    /* Bytes that are enough for the xsave area of the enabled features, and those features
     * (XCR0). */
    uint64_t xsave_size, xsave_features;
    /* 1 when vector_state_in_use may be called. */
    uint64_t tells_vector_use;
    /* 1 when rdfsbase and its kin may be used. */
    uint64_t has_fsgsbase;
    /* 1 when each address space has a timer of its own, which set_timer of the active one sets. */
    uint64_t timer_is_of_space;
    /* cycle_counter() at the kernel's first instruction. */
    uint64_t entry_cycles;
    uint8_t random_seed[32];
};

struct platform_segment {
    void *_Nullable base;
    uint64_t length;
};

/* One stream whose readiness is asked for; the events are those of poll(2). */
struct platform_poll {
    int32_t stream;
    int16_t events;
    int16_t ready;
};

/* A disk of the machine. */
struct platform_disk {
    uint64_t size;       /* bytes, a multiple of the block size */
    uint32_t block_size; /* what the disk reads and writes at once */
    uint32_t is_read_only;
    uint32_t can_discard;
};

/* A server of files outside, which speaks 9P2000.L. */
struct platform_file_server {
    /* What it calls its folder; not ended by a zero. */
    const uint8_t *_Nonnull name;
    uint64_t name_length;
    /* Where a request is written, and the bytes that it and an answer may have. */
    void *_Nonnull request;
    uint64_t message_limit;
};

/* The machine's network card. */
struct platform_card {
    uint8_t address[6];    /* its own on the Ethernet */
    uint16_t packet_limit; /* bytes of the largest packet in a frame, 68 to 1500 */
    uint32_t has_link;     /* 1 while there is a network at its other end */
};

struct platform_operations {
    /* --- time --- */

    /* Nanoseconds of a clock. May be called from anywhere. */
    uint64_t (*_Nonnull read_clock)(uint32_t clock);
    /* Asks for one timer interrupt at a time of the monotonic clock; UINT64_MAX takes it back. */
    void (*_Nonnull set_timer)(uint64_t deadline);

    /* --- the running program's address space; page-aligned throughout --- */

    /* Fresh zero pages; what was there is replaced. */
    int64_t (*_Nonnull map_anonymous)(uint64_t start, uint64_t length, uint32_t protection);
    /* Pages of the machine's memory from `offset`; shared, or copied when written. */
    int64_t (*_Nonnull map_memory)(uint64_t start, uint64_t length, uint64_t offset,
                                   uint32_t protection, uint32_t is_shared);
    /* Pages of an image, copied when written. */
    int64_t (*_Nonnull map_image)(uint64_t start, uint64_t length, uint32_t image, uint64_t offset,
                                  uint32_t protection);
    /* Nothing: an access faults. */
    int64_t (*_Nonnull unmap)(uint64_t start, uint64_t length);
    int64_t (*_Nonnull protect)(uint64_t start, uint64_t length, uint32_t protection);
    /* Moves pages; `to` holds nothing. The lengths differ when the mapping grows or shrinks. */
    int64_t (*_Nonnull move)(uint64_t from, uint64_t from_length, uint64_t to, uint64_t to_length);
    /* Anonymous pages become zero again and their memory free; private pages of an image or of
     * memory become what they were before they were written. */
    int64_t (*_Nonnull discard)(uint64_t start, uint64_t length);
    /* One byte a page: 1 when it is resident. */
    int64_t (*_Nonnull resident)(uint64_t start, uint64_t length, uint8_t *_Nonnull pages);
    /* Bytes of the program's memory that are resident, for /proc; -ENOSYS when it is not known. */
    int64_t (*_Nonnull resident_size)(void);
    /* The most that was ever resident, in bytes, or -ENOSYS. */
    int64_t (*_Nonnull largest_resident_size)(void);

    /* --- address spaces: the operations above are about the active one, number 0 at first --- */

    /* A copy of the active one, in which private pages are copied when either is written, and shared
     * ones are shared: its number. -ENOMEM, -EAGAIN when there are too many, -ENOSYS when there can be
     * but one. */
    int64_t (*_Nonnull space_copy)(void);
    /* One in which nothing is mapped: its number, or an error as above. */
    int64_t (*_Nonnull space_create)(void);
    /* Activates an address space: saves the registers that a call preserves, and the stack pointer at
     * `save`, calls kernel_space_entered, and goes on where the stack pointer at `load` was saved. The
     * two may be the same place. */
    void (*_Nonnull space_switch)(uint64_t space, uint64_t *_Nonnull save,
                                  const uint64_t *_Nonnull load);
    /* Gives up an address space that nobody uses any more, and what is mapped there. The active one goes
     * when another is activated. */
    void (*_Nonnull space_release)(uint64_t space);
    /* Most of what was mapped in the active one is gone: what the platform kept for it may go too. */
    void (*_Nonnull space_trim)(void);

    /* --- the machine's memory --- */

    /* A range of the machine's memory is not used any more: it may be taken back and then reads
     * as zero. */
    void (*_Nonnull release_memory)(uint64_t offset, uint64_t length);
    /* Makes one page of the kernel's memory fault on every access, for good: it lies under a kernel
     * stack. */
    int64_t (*_Nonnull guard_page)(void *_Nonnull page);
    /* Reads from an image, as pread(2). */
    int64_t (*_Nonnull read_image)(uint32_t image, uint64_t offset, void *_Nonnull buffer,
                                   uint64_t length);

    /* --- looking inside --- */

    /* How many instructions the processor executes from `start`, where code of the active address space
     * lies that makes one system call, to `end`, both ways of the kernel with it. Before there is a first
     * thread, with cpu.kernel_stack at a stack for the call; interrupts are off meanwhile. -EIO when it
     * does not come to `end`, -ENOSYS where that cannot be counted, whatever the range; an empty one has
     * none. */
    int64_t (*_Nonnull count_instructions)(uint64_t start, uint64_t end);

    /* --- streams --- */

    /* As readv(2) and writev(2), at most 16 segments of kernel or user memory; -EFAULT when a
     * segment is not mapped. They may block when the stream is not ready: poll first. */
    int64_t (*_Nonnull stream_read)(int32_t stream, const struct platform_segment *_Nonnull segments,
                                    uint64_t count);
    int64_t (*_Nonnull stream_write)(int32_t stream,
                                     const struct platform_segment *_Nonnull segments,
                                     uint64_t count);
    /* Waits until a stream is ready, an interrupt came, or the monotonic clock reaches `deadline`
     * (0: do not wait, UINT64_MAX: for ever). Returns how many are ready. */
    int64_t (*_Nonnull wait)(struct platform_poll *_Nullable streams, uint64_t count,
                             uint64_t deadline);

    /* --- disks; they are numbered from 0 --- */

    /* -ENODEV when there is no such disk. */
    int64_t (*_Nonnull disk_describe)(uint32_t disk, struct platform_disk *_Nonnull description);
    /* As preadv(2) and pwritev(2), within the disk's size, at most 16 segments of kernel or user
     * memory. They wait for the disk by kernel_wait_for_disk, and nobody else may ask that disk for
     * anything meanwhile; -EIO when it failed, and after 30 seconds. */
    int64_t (*_Nonnull disk_read)(uint32_t disk, uint64_t offset,
                                  const struct platform_segment *_Nonnull segments, uint64_t count);
    int64_t (*_Nonnull disk_write)(uint32_t disk, uint64_t offset,
                                   const struct platform_segment *_Nonnull segments, uint64_t count);
    /* What was written outlasts the machine from now on. */
    int64_t (*_Nonnull disk_flush)(uint32_t disk);
    /* The contents of sectors of 512 bytes are not needed any more. */
    int64_t (*_Nonnull disk_discard)(uint32_t disk, uint64_t offset, uint64_t length);

    /* --- servers of files; they are numbered from 0 --- */

    /* -ENODEV when there is no such server. */
    int64_t (*_Nonnull files_describe)(uint32_t server,
                                       struct platform_file_server *_Nonnull description);
    /* Sends the request, a T-message of 9P with its size, and waits for the answer; its length. It is
     * lent until the next request, the server may write to it meanwhile, and no more is known of it than
     * that it is the R-message of this type and tag, or Rlerror. As requests are made one by one, any
     * tag will do. -EIO when there is no such answer within 30 seconds. */
    int64_t (*_Nonnull files_ask)(uint32_t server, const void *_Nullable *_Nonnull answer);

    /* --- the network card; frames are Ethernet's, header and packet, with all checksums --- */

    /* -ENODEV when there is none, -EIO when it is broken; the link is as it is now. */
    int64_t (*_Nonnull card_describe)(struct platform_card *_Nonnull description);
    /* The next frame that came and its length, of which nothing is known but that it can be read: it is
     * lent until the next call, and the card may write to it meanwhile. 0 when there is none; from then
     * on CPU_PENDING_FRAMES is set when one comes. -EIO when the card is broken, for good. */
    int64_t (*_Nonnull card_receive)(const void *_Nullable *_Nonnull frame);
    /* Where the next frame to send is written, 14 bytes and packet_limit; null when there is no room
     * for it. From then on CPU_PENDING_FRAMES is set when there is. */
    void *_Nullable (*_Nonnull card_room)(void);
    /* Sends the first bytes of the room that was given last; it is the card's from then on. */
    void (*_Nonnull card_send)(uint64_t length);

    /* --- the end --- */

    /* Ends the instance with an exit status of 0 to 255. */
    void (*_Nonnull exit)(int32_t status) __attribute__((noreturn));
};

/* Where the vDSO's object lies in the kernel image: begin and end. */
extern const uint64_t vdso_image_bounds[2];

/* What the kernel offers the platform. */

/* A frame of the machine's memory, all zero, for the program's pages and their tables: its offset,
 * or -ENOMEM; with `leaves_reserve` that comes while the kernel's heap can still serve a call. May
 * be called while a fault of the program or of a copy routine is dealt with. */
int64_t kernel_take_frame(uint32_t leaves_reserve);
void kernel_give_frame(uint64_t offset);
/* The same for 2 MiB in one piece, which is only there while memory is plenty. Cut, it is 512 frames
 * that are given back one by one. */
int64_t kernel_take_large_page(void);
void kernel_give_large_page(uint64_t offset);
void kernel_cut_large_page(uint64_t offset);

/* Lets other threads run until CPU_PENDING_DISKS was set, or the monotonic clock reaches `deadline`; it may
 * come back earlier. Called by operations on disks. */
void kernel_wait_for_disk(uint64_t deadline);

/* An address space was activated for the thread of cpu_current(): its registers that are not on its
 * stack become the processor's. On a small stack. */
void kernel_space_entered(void);

/* Runs the kernel on the boot stack; never returns. Both structs live for ever. */
void kernel_start(const struct boot_information *_Nonnull information,
                  const struct platform_operations *_Nonnull operations)
    __attribute__((noreturn));
