import IORing
import Kernel
import LinuxABI

/// io_uring_setup(2)
func sysSetUpRing(_ entries: UInt, _ parameters: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in Int(try Rings.setUp(entries.low, parameters).rawValue) }
}

/// io_uring_enter(2)
func sysEnterRing(
    _ descriptor: UInt,
    _ submitted: UInt,
    _ least: UInt,
    _ flags: UInt,
    _ argument: UInt,
    _ size: UInt
) -> Int {
    answer { () throws(Errno) in
        try Rings.enter(
            FileDescriptor(descriptor),
            submitted.low,
            least.low,
            flags.low,
            argument,
            size
        )
    }
}

/// io_uring_register(2)
func sysRegisterWithRing(
    _ descriptor: UInt,
    _ operation: UInt,
    _ argument: UInt,
    _ count: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { () throws(Errno) in
        try Rings.register(FileDescriptor(descriptor), operation.low, argument, count.low)
    }
}

/// Rings of requests and completions.
let ringRows: InlineArray<_, Row> = [
    Row(
        425,
        "io_uring_setup",
        sysSetUpRing,
        .partial,
        .unsigned,
        .address,
        result: .descriptor,
        note: """
            EINVAL for IORING_SETUP_IOPOLL, SQPOLL, SQ_AFF, SQE128, CQE32, DEFER_TASKRUN, NO_MMAP and newer \
            ones; what requests point to must stay until they complete (no IORING_FEAT_SUBMIT_STABLE)
            """
    ),
    Row(
        426,
        "io_uring_enter",
        sysEnterRing,
        .partial,
        .descriptor,
        .unsigned,
        .unsigned,
        .hexadecimal,
        .address,
        .size,
        note: """
            operations as IORING_REGISTER_PROBE tells; no IOSQE_BUFFER_SELECT, multishot receive, \
            personalities; EINVAL for IORING_ENTER_REGISTERED_RING and newer flags; opening a FIFO waits
            """
    ),
    Row(
        427,
        "io_uring_register",
        sysRegisterWithRing,
        .partial,
        .descriptor,
        .unsigned,
        .address,
        .unsigned,
        note: """
            buffers, files (both without tags), updates of files, eventfd, probe, enabling; registered \
            buffers are not pinned; all others are EINVAL
            """
    ),
]
