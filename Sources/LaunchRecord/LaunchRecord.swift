/// What `unirun` tells the kernel about the program to run.
///
/// The record is a header followed by items, all little-endian, each item padded to 8 bytes:
///
///     header  u64 magic, u32 version, u32 length of the whole record in bytes
///     item    u16 kind, u16 zero, u32 length of the payload in bytes, payload
///
/// The process world reads it from a descriptor, the VM from a boot module. The kernel treats it
/// like any other input: `LaunchRecordReader` checks every length before it believes it.
public enum LaunchRecord {
    /// "UNIRUN" and two zero bytes.
    public static let magic: UInt64 = 0x0000_4e55_5249_4e55
    public static let version: UInt32 = 1
    public static let headerSize = 16
    public static let itemHeaderSize = 8
    public static let alignment = 8

    /// The largest record the kernel accepts; Linux's `ARG_MAX` is below it.
    public static let maximumSize = 8 << 20

    public enum Kind: UInt16, CaseIterable {
        /// Guest path at which the program appears.
        case programPath = 1
        /// One argument; the first is `argv[0]`.
        case argument = 2
        /// One `NAME=value`.
        case environment = 3
        /// Guest path of the working directory.
        case workingDirectory = 4
        /// `u32` user, `u32` group.
        case user = 5
        case hostname = 6
        /// `u64`, bytes; absent when there is no limit.
        case memoryLimit = 7
        /// `u64`, the bits of `LaunchOptions`.
        case options = 8
        /// Guest path of a tmpfs to mount.
        case temporaryDirectory = 9
        /// Which calls `--strace` shows, as the user wrote it: names and groups with commas between.
        case traceFilter = 10
        /// 32 bytes of entropy from the host.
        case randomSeed = 11
        /// `u64`, bytes of the program's file.
        case programSize = 12
        /// `u64`, bytes of the root image.
        case rootImageSize = 13
        /// Three `HostStream`, one each for standard input, output and error.
        case standardStreams = 14
        /// `u64`, bit n-1 for each signal n that was ignored when `unirun` started (`nohup`); the
        /// program inherits that, as it would natively. Absent when there is none.
        case ignoredSignals = 15
        /// `u64`, 1 when the processor tells by XGETBV which vector registers are in use, else 0.
        /// The kernel would have to ask CPUID, which leaves a virtual machine; absent when
        /// `unirun` does not know.
        case tellsVectorUse = 16
        /// `KnownSite`s, as earlier runs of the same file told them; absent when there are none.
        case knownSites = 17
        /// `u32` address of the card's host, of `1.2.3.4` the 1 being the highest octet, and `u32` bits of
        /// it that are the network's; absent without a network.
        case networkAddress = 18
        /// A folder of the host, which a server has that the platform calls `volume` and a number: that of
        /// such items before this one. `u8` 1 when it may only be read, else 0; then the guest path.
        case volume = 19
    }
}

/// Switches of a launch.
public struct LaunchOptions: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let rootImage = LaunchOptions(rawValue: 1 << 0)
    public static let readOnlyRoot = LaunchOptions(rawValue: 1 << 1)
    public static let trace = LaunchOptions(rawValue: 1 << 2)
    public static let statistics = LaunchOptions(rawValue: 1 << 3)
    /// Leave sites unpatched, so that every call is caught; for measuring and debugging.
    public static let keepSites = LaunchOptions(rawValue: 1 << 4)
    /// Behave as on a host whose clock is not the processor's counter; for debugging.
    public static let slowClock = LaunchOptions(rawValue: 1 << 5)
    /// No `unirun` serves the machine: its streams are a terminal of its own.
    public static let ownTerminal = LaunchOptions(rawValue: 1 << 6)
    /// Processes of the kernel may run on more than one processor of the host.
    public static let severalProcessors = LaunchOptions(rawValue: 1 << 7)
    /// `unirun` takes cores: `HostDescriptor.core`.
    public static let takesCores = LaunchOptions(rawValue: 1 << 8)
}

/// What a standard stream of the host is, as `fstat` told `unirun`.
public struct HostStream: Equatable, Sendable {
    /// `st_mode`; zero when the stream is closed.
    public var mode: UInt32
    /// Of what `fcntl(F_GETFL)` tells: the access mode, `O_APPEND` and `O_NONBLOCK`.
    public var flags: UInt32
    /// `st_rdev` of a character device.
    public var device: UInt64
    public var inode: UInt64
    /// `st_size` of a regular file at the start, in bytes.
    public var size: UInt64

    public static let encodedSize = 32

    public init(mode: UInt32, flags: UInt32, device: UInt64, inode: UInt64, size: UInt64) {
        self.mode = mode
        self.flags = flags
        self.device = device
        self.inode = inode
        self.size = size
    }
}

/// The descriptors that `unirun` opens for the kernel image before it starts it.
public enum HostDescriptor: Int32, CaseIterable, Sendable {
    case standardInput = 0
    case standardOutput = 1
    case standardError = 2
    case launchRecord = 3
    case program = 4
    /// The root file system's image, when `LaunchOptions.rootImage` is set.
    case rootImage = 5
    /// A stream socket on which the kernel asks and `unirun` answers: see `ControlMessage`.
    case control = 6
    /// A memfd: the machine's memory, kernel heap and page cache.
    case memory = 7
    /// Where `--strace` lines go.
    case trace = 8
    /// Where the `--stats` report goes, as lines that `unirun` renders.
    case statistics = 9
    /// A stream socket to the server of the host's folders: each request is the number of one, `u32`, and
    /// a message of 9P; each answer is a message.
    case folders = 10
    /// Where cores go, as `CoreRecord`s, when `LaunchOptions.takesCores` is set.
    case core = 11
}
