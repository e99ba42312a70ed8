import LaunchRecord
import Platform

/// A system call of the host that the kernel may make.
struct HostCall {
    let number: UInt32
    let check: ArgumentCheck

    /// What the filter asks of the arguments.
    enum ArgumentCheck {
        case none
        /// One argument is a descriptor out of a set: bit n of `allowed` for descriptor n.
        case descriptor(argument: UInt32, allowed: UInt32)
        /// As `descriptor`, or -1 for no file.
        case descriptorOrNone(argument: UInt32, allowed: UInt32)
        /// One argument is below a bound.
        case below(argument: UInt32, bound: UInt32)
    }

    init(_ number: UInt32, _ check: ArgumentCheck = .none) {
        self.number = number
        self.check = check
    }
}

/// Numbers of the host's calls on x86-64.
enum HostNumber {
    static var lseek: UInt32 { 8 }
    static var mmap: UInt32 { 9 }
    static var mprotect: UInt32 { 10 }
    static var munmap: UInt32 { 11 }
    static var rt_sigaction: UInt32 { 13 }
    static var rt_sigprocmask: UInt32 { 14 }
    static var readv: UInt32 { 19 }
    static var writev: UInt32 { 20 }
    static var mremap: UInt32 { 25 }
    static var mincore: UInt32 { 27 }
    static var madvise: UInt32 { 28 }
    static var getrusage: UInt32 { 98 }
    static var getppid: UInt32 { 110 }
    static var sigaltstack: UInt32 { 131 }
    static var prctl: UInt32 { 157 }
    static var arch_prctl: UInt32 { 158 }
    static var timer_create: UInt32 { 222 }
    static var timer_settime: UInt32 { 223 }
    static var clock_gettime: UInt32 { 228 }
    static var exit_group: UInt32 { 231 }
    static var ppoll: UInt32 { 271 }
    static var seccomp: UInt32 { 317 }
}

private let standardStreams: UInt32 = 0b111
private let control = UInt32(1) << 6
private let memory = UInt32(1) << 7
private let trace = UInt32(1) << 8
private let statistics = UInt32(1) << 9
private let images: UInt32 = 1 << 4 | 1 << 5

/// All that the host sees of the kernel once the program runs. The filter is built from this table
/// and nothing else calls the host afterwards.
let hostCalls: InlineArray<_, HostCall> = [
    HostCall(HostNumber.mmap, .descriptorOrNone(argument: 4, allowed: images | memory)),
    HostCall(HostNumber.mprotect),
    HostCall(HostNumber.munmap),
    HostCall(HostNumber.readv, .descriptor(argument: 0, allowed: standardStreams | control)),
    HostCall(
        HostNumber.writev,
        .descriptor(argument: 0, allowed: standardStreams | control | trace | statistics)),
    HostCall(HostNumber.mremap),
    HostCall(HostNumber.mincore),
    // Up to MADV_DOFORK: neither poisoning nor anything newer.
    HostCall(HostNumber.madvise, .below(argument: 2, bound: 12)),
    HostCall(HostNumber.getrusage, .below(argument: 0, bound: 1)),
    HostCall(HostNumber.timer_settime, .below(argument: 0, bound: 1)),
    HostCall(HostNumber.clock_gettime),
    HostCall(HostNumber.exit_group),
    HostCall(HostNumber.ppoll),
]

/// A word that a host call answered: zero or more, or a negated errno.
@inline(__always)
func callHost(
    _ number: UInt32, _ first: UInt64 = 0, _ second: UInt64 = 0, _ third: UInt64 = 0,
    _ fourth: UInt64 = 0, _ fifth: UInt64 = 0, _ sixth: UInt64 = 0
) -> Int64 {
    count_host_call(UInt64(number))
    return hypercall(UInt64(number), first, second, third, fourth, fifth, sixth)
}

@inline(__always)
func address(_ pointer: UnsafeRawPointer?) -> UInt64 { UInt64(UInt(bitPattern: pointer)) }
