/// What the user asked for, options and program, as values.
public struct LaunchRequest: Sendable {
    /// The program as it was named; also its first argument.
    public var program: String
    /// Arguments after the program's name: bytes, as Linux promises nothing about their encoding.
    public var arguments: [[UInt8]] = []
    /// `NAME=value`, each name once.
    public var environment = EnvironmentBuilder().result
    /// Guest path, absolute.
    public var workingDirectory = "/"
    public var user = UserIdentity(user: 0, group: 0)
    public var hostname = "unirun"
    /// Bytes; `nil` for what the host has.
    public var memoryLimit: UInt64?
    /// A folder, an archive or an EROFS image of the host.
    public var root: String?
    public var isRootReadOnly = false
    public var temporaryDirectories: [String] = []
    /// Folders of the host, in the order in which they are mounted.
    public var volumes: [VolumeRequest] = []
    public var trace: TraceRequest?
    public var wantsStatistics = false
    /// The file of the host that the program's core goes to.
    public var core: String?
    /// Every call stays caught; for measuring.
    public var keepsSites = false
    /// As on a host whose clock is not the processor's counter; for debugging.
    public var usesSlowClock = false
    /// How the instance is called in the host's process list.
    public var name: String?
    public var waitsForDebugger = false
    /// Where a machine waits for gdb; nil for any free port.
    public var debuggerPort: UInt16?
    public var platform = GuestPlatform.process
    /// How a machine's processor is run; `nil` to choose.
    public var accelerator: Accelerator?
    public var machine = MachineModel.microvm
    /// The machine's disks: /dev/vda and so on.
    public var disks: [DiskRequest] = []
    public var network = NetworkRequest.none
    /// What the guest is called on its network; nil without one.
    public var address: HostAddress?
    /// A machine of Firecracker, and not of QEMU.
    public var usesFirecracker = false
    public var verbosity = Verbosity.normal
    /// The machine has a terminal of its own, and no `unirun` at its side.
    public var hasOwnTerminal = false

    public init(program: String) {
        self.program = program
        usesSlowClock = hostVariable("UNIRUN_CLOCK") == "syscall"
    }
}

/// Where the kernel runs.
public enum GuestPlatform: String, Sendable, CaseIterable {
    /// A sandboxed process of the host.
    case process
    /// A virtual machine.
    case vm
}

/// How a machine's processor is run.
public enum Accelerator: String, Sendable, CaseIterable {
    /// By the host's processor.
    case kvm
    /// By emulation.
    case tcg
}

/// QEMU's machines that the kernel is started on.
public enum MachineModel: String, Sendable, CaseIterable {
    /// Nothing but what a guest needs.
    case microvm
    /// A PC.
    case q35
}

/// A file or block device of the host that is a disk of the machine.
public struct DiskRequest: Sendable, Equatable {
    public var path: String
    public var isReadOnly: Bool

    /// `FILE[:ro]`, as a volume is written for `docker run`.
    public init(parsing text: String) {
        isReadOnly = text.hasSuffix(":ro")
        let path =
            isReadOnly ? text.dropLast(3) : text.hasSuffix(":rw") ? text.dropLast(3) : text[...]
        self.path = String(path)
    }
}

/// How much `unirun` says beside its errors.
public enum Verbosity: Sendable, Equatable {
    case quiet
    case normal
    case verbose
}

/// What `--strace` shows, and where.
public struct TraceRequest: Sendable, Equatable {
    /// Names and groups with commas between; empty for all.
    public var filter: String
    /// A file of the host; `nil` for standard error.
    public var output: String?

    public init(filter: String = "", output: String? = nil) {
        self.filter = filter
        self.output = output
    }
}

/// The numbers a guest program runs under.
public struct UserIdentity: Sendable, Equatable {
    public var user: UInt32
    public var group: UInt32

    public init(user: UInt32, group: UInt32) {
        self.user = user
        self.group = group
    }

    /// `UID[:GID]`; the group is 0 when it is left out, as with `docker run`.
    public init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let user = UInt32(parts[0]), user != .max else { return nil }
        guard parts.count == 2 else {
            self.init(user: user, group: 0)
            return
        }
        guard let group = UInt32(parts[1]), group != .max else { return nil }
        self.init(user: user, group: group)
    }
}
