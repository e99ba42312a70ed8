/// A system call of the host that the kernel may make.
public struct HostCall {
    public let number: UInt32
    public let check: ArgumentCheck

    /// What the filter asks of the arguments.
    public enum ArgumentCheck {
        case none
        /// One argument is a descriptor out of a set: bit n of `allowed` for descriptor n.
        case descriptor(argument: UInt32, allowed: UInt32)
        /// As `descriptor`, or -1 for no file.
        case descriptorOrNone(argument: UInt32, allowed: UInt32)
        /// One argument is below a bound.
        case below(argument: UInt32, bound: UInt32)
        /// The first arguments are these.
        case first(UInt32)
        case firstTwo(UInt32, UInt32)
        /// The first argument is this, and `unirun` agrees: it counts them (docs/adr/0020).
        case firstCounted(UInt32)
    }

    init(_ number: UInt32, _ check: ArgumentCheck = .none) {
        self.number = number
        self.check = check
    }
}

/// Numbers of the host's calls on x86-64, by Linux's names.
// swift-format-ignore: AlwaysUseLowerCamelCase
public enum HostNumber {
    public static var lseek: UInt32 { 8 }
    public static var mmap: UInt32 { 9 }
    public static var mprotect: UInt32 { 10 }
    public static var munmap: UInt32 { 11 }
    public static var rt_sigaction: UInt32 { 13 }
    public static var rt_sigprocmask: UInt32 { 14 }
    public static var readv: UInt32 { 19 }
    public static var writev: UInt32 { 20 }
    public static var mremap: UInt32 { 25 }
    public static var mincore: UInt32 { 27 }
    public static var madvise: UInt32 { 28 }
    public static var clone: UInt32 { 56 }
    public static var getrusage: UInt32 { 98 }
    public static var getppid: UInt32 { 110 }
    public static var sigaltstack: UInt32 { 131 }
    public static var prctl: UInt32 { 157 }
    public static var arch_prctl: UInt32 { 158 }
    public static var futex: UInt32 { 202 }
    public static var timer_create: UInt32 { 222 }
    public static var timer_settime: UInt32 { 223 }
    public static var clock_gettime: UInt32 { 228 }
    public static var exit_group: UInt32 { 231 }
    public static var ppoll: UInt32 { 271 }
    public static var seccomp: UInt32 { 317 }
}

/// CLONE_PARENT and SIGCHLD: a copy of the process, and `unirun`'s child as this one is.
public let copyOfProcess: UInt32 = 0x8000 | 17
/// PR_SET_PDEATHSIG and SIGKILL: no process of the instance outlives `unirun`.
public let setDeathSignal: (UInt32, UInt32) = (1, 9)

private let standardStreams: UInt32 = 0b111
private let control = UInt32(1) << 6
private let memory = UInt32(1) << 7
private let trace = UInt32(1) << 8
private let statistics = UInt32(1) << 9
private let folders = UInt32(1) << 10
private let core = UInt32(1) << 11
private let images: UInt32 = 1 << 4 | 1 << 5

/// All that the host sees of the kernel once the program runs. The filter is built from this table
/// and nothing else calls the host afterwards.
public let hostCalls: InlineArray<_, HostCall> = [
    HostCall(HostNumber.mmap, .descriptorOrNone(argument: 4, allowed: images | memory)),
    HostCall(HostNumber.mprotect),
    HostCall(HostNumber.munmap),
    HostCall(
        HostNumber.readv,
        .descriptor(argument: 0, allowed: standardStreams | control | folders)
    ),
    HostCall(
        HostNumber.writev,
        .descriptor(
            argument: 0,
            allowed: standardStreams | control | trace | statistics | folders | core
        )
    ),
    HostCall(HostNumber.mremap),
    HostCall(HostNumber.mincore),
    // Up to MADV_DOFORK: neither poisoning nor anything newer.
    HostCall(HostNumber.madvise, .below(argument: 2, bound: 12)),
    // An address space more: FUTEX_WAIT and FUTEX_WAKE pass the turn from process to process.
    HostCall(HostNumber.clone, .firstCounted(copyOfProcess)),
    HostCall(HostNumber.futex, .below(argument: 1, bound: 2)),
    HostCall(HostNumber.prctl, .firstTwo(setDeathSignal.0, setDeathSignal.1)),
    HostCall(HostNumber.getppid),
    HostCall(HostNumber.timer_create, .first(1)),
    HostCall(HostNumber.getrusage, .below(argument: 0, bound: 1)),
    HostCall(HostNumber.timer_settime, .below(argument: 0, bound: 1)),
    HostCall(HostNumber.clock_gettime),
    HostCall(HostNumber.exit_group),
    HostCall(HostNumber.ppoll),
]
