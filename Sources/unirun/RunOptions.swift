import ArgumentParser
import SyscallShim
import Tender

/// What the program itself is given.
struct ProgramOptions: ParsableArguments {
    @Option(
        name: [.customShort("e"), .customLong("env")],
        help: ArgumentHelp(
            "Set a variable of the program's environment; KEY alone takes the host's value.",
            valueName: "KEY[=VAL]"
        )
    )
    var environment: [String] = []

    @Option(
        help: ArgumentHelp("Read variables from a file, one KEY[=VAL] a line.", valueName: "FILE")
    )
    var envFile: [String] = []

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The working directory in the guest (default: /).", valueName: "DIR")
    )
    var workdir: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The user and group the program runs as (default: 0:0).",
            valueName: "UID[:GID]"
        )
    )
    var user: String?

    func apply(to request: inout LaunchRequest) throws {
        var builder = EnvironmentBuilder()
        for file in envFile { try builder.addFile(file) }
        for variable in environment { try builder.add(variable) }
        request.environment = builder.result
        if let workdir {
            guard workdir.hasPrefix("/") else {
                throw LaunchFailure(
                    "working directory '\(workdir)' is not an absolute path; write --workdir /\(workdir)"
                )
            }
            request.workingDirectory = workdir
        }
        if let user {
            guard let identity = UserIdentity(parsing: user) else {
                throw LaunchFailure(
                    "user '\(user)' is not UID or UID:GID; write numbers, as --user 1000:1000"
                )
            }
            request.user = identity
        }
    }
}

/// What the program sees as its root.
struct FileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The root file system: a folder, a tar archive or an EROFS image. Without it the root "
                + "is empty but for the program.",
            valueName: "DIR|TAR|IMAGE"
        )
    )
    var rootfs: String?

    @Flag(help: "Let nothing be written to the root.")
    var readOnly = false

    @Option(help: ArgumentHelp("Mount an empty tmpfs at a path of the guest.", valueName: "DIR"))
    var tmpfs: [String] = []

    func apply(to request: inout LaunchRequest) throws {
        request.root = rootfs
        request.isRootReadOnly = readOnly
        for directory in tmpfs {
            guard directory.hasPrefix("/") else {
                throw LaunchFailure(
                    "tmpfs '\(directory)' is not an absolute path; write --tmpfs /\(directory)"
                )
            }
            guard !directory.contains(":") else {
                throw LaunchFailure(
                    "tmpfs '\(directory)': mount options are not supported; give the path alone"
                )
            }
        }
        request.temporaryDirectories = tmpfs
    }
}

/// What of the host the program sees.
struct VolumeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Show a folder of the host in the guest, which writes to it unless :ro is given. "
                + "-v HOST:GUEST is the same.",
            valueName: "HOST:GUEST[:ro]"
        )
    )
    var volume: [String] = []

    func apply(to request: inout LaunchRequest) throws {
        request.volumes = try VolumeRequest.list(volume)
    }
}

/// What the guest's machine looks like.
struct MachineOptions: ParsableArguments {
    @Option(help: "Where the kernel runs: a sandboxed process, or a virtual machine.")
    var platform = Choice(GuestPlatform.process)

    @Option(
        help: "How a virtual machine's processor is run (default: kvm where the host can)."
    )
    var accel: Choice<Accelerator>?

    @Option(help: "Which of QEMU's machines a virtual machine is (default: microvm).")
    var machine: Choice<MachineModel>?

    @Flag(
        help: """
            Write a configuration for Firecracker and start that. Not tested. The program's terminal \
            is Firecracker's serial port, and its exit status is only said there.
            """
    )
    var firecracker = false

    @Option(
        help: ArgumentHelp(
            "Give a virtual machine a disk, which is a file or block device of the host: /dev/vda, "
                + "the next /dev/vdb.",
            valueName: "FILE[:ro]"
        )
    )
    var disk: [String] = []

    @Option(
        help: ArgumentHelp(
            "What a virtual machine is connected to: nothing, or an interface of the host that sees its "
                + "frames; a new one where no NAME is given (default: none).",
            valueName: "none|tap[:NAME]"
        )
    )
    var network: String?

    @Option(
        help: ArgumentHelp(
            "The guest's address on its network; so far it answers ARP and ping.",
            valueName: "ADDRESS/PREFIX"
        )
    )
    var ip: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The most memory the guest may use, as 512M or 2g (default: the host's).",
            valueName: "SIZE"
        )
    )
    var memory: String?

    @Option(
        help: ArgumentHelp("How many processors the guest has; 1 in this version.", valueName: "N")
    )
    var cpus: String?

    @Option(help: ArgumentHelp("The guest's host name (default: unirun).", valueName: "NAME"))
    var hostname: String?

    @Option(
        help: ArgumentHelp(
            "How the instance is called in the host's process list.",
            valueName: "NAME"
        )
    )
    var name: String?

    func validatePlatform(hasVolumes: Bool) throws {
        let platform = try platform.value(of: "platform")
        guard platform == .vm || disk.isEmpty else {
            throw LaunchFailure("--disk is for a virtual machine; add --platform vm")
        }
        let wrong: String? =
            accel != nil
            ? "--accel" : machine != nil ? "--machine" : firecracker ? "--firecracker" : nil
        if platform != .vm, let wrong {
            throw LaunchFailure("\(wrong) says how a virtual machine is run; add --platform vm")
        }
        if firecracker, let wrong, wrong != "--firecracker" {
            throw LaunchFailure(
                "\(wrong) is QEMU's, and --firecracker another; leave one of them out"
            )
        }
        guard !firecracker || !hasVolumes else {
            throw LaunchFailure(
                "a machine of Firecracker has no folders of the host; leave --volume out"
            )
        }
        guard let cpus, cpus != "1", cpus != "1.0" else { return }
        throw LaunchFailure(
            "cpus '\(cpus)': this version runs a guest on one processor; leave --cpus out"
        )
    }

    static func apply(hostname: String?, to request: inout LaunchRequest) throws {
        guard let hostname else { return }
        guard (1...64).contains(hostname.utf8.count) else {
            throw LaunchFailure("host name '\(hostname)' must have 1 to 64 bytes")
        }
        request.hostname = hostname
    }

    func apply(to request: inout LaunchRequest) throws {
        request.platform = try platform.value(of: "platform")
        request.accelerator = try accel?.value(of: "accel")
        if let machine { request.machine = try machine.value(of: "machine") }
        request.disks = disk.map { DiskRequest(parsing: $0) }
        request.usesFirecracker = firecracker
        try applyNetwork(to: &request)
        request.hasOwnTerminal = firecracker
        if let memory {
            guard let size = MemorySize(parsing: memory) else {
                throw LaunchFailure("memory '\(memory)' is not a size; write it as 512M or 2g")
            }
            let isMachine = request.platform == .vm
            let least = isMachine ? MemorySize.minimumOfMachine : MemorySize.minimum
            guard size.bytes >= least else {
                throw LaunchFailure(
                    "memory '\(memory)' is too little to start; give \(least >> 20)M at least"
                )
            }
            request.memoryLimit = size.bytes
        }
        try Self.apply(hostname: hostname, to: &request)
        if let name {
            guard !name.isEmpty else {
                throw LaunchFailure("the name is empty; give one, or leave --name out")
            }
            request.name = name
        }
    }
}

extension MachineOptions {
    /// A network without an address is none, and an address without a network is nobody's.
    private func applyNetwork(to request: inout LaunchRequest) throws {
        if let network { request.network = try NetworkRequest(parsing: network) }
        let address = try ip.map { text throws(LaunchFailure) in try HostAddress(parsing: text) }
        guard request.network != .none else {
            guard address == nil else {
                throw LaunchFailure("--ip is the address on a network; add --network tap")
            }
            return
        }
        guard request.platform == .vm else {
            throw LaunchFailure(
                "a process has no network in this version; add --platform vm, or leave --network out"
            )
        }
        guard !firecracker else {
            throw LaunchFailure(
                "a machine of Firecracker has no network in this version; leave --firecracker out"
            )
        }
        guard let address else {
            throw LaunchFailure("a network needs the guest's address; add --ip 10.0.0.2/24")
        }
        request.address = address
    }
}

/// What is told about the run.
struct ObservationOptions: ParsableArguments {
    @Flag(
        help: """
            Write each system call to standard error; --strace=FILTER writes these only: names and groups \
            with commas between, as open,%file.
            """
    )
    var strace = false

    @Option(help: ArgumentHelp("The same as --strace=FILTER.", valueName: "FILTER"))
    var trace: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Write the trace to a file.", valueName: "FILE")
    )
    var output: String?

    @Flag(help: "Report calls, sites, page faults and host calls on standard error at the end.")
    var stats = false

    @Option(
        help: ArgumentHelp(
            "Write the program's core to a file of this host when a signal ends it that dumps one.",
            valueName: "FILE"
        )
    )
    var core: String?

    @Flag(
        help: """
            Wait for gdb before the first instruction, and say how to attach it. A virtual machine \
            waits on a port of this host: any that is free, or --gdb=PORT.
            """
    )
    var gdb = false

    /// What `--gdb PORT` is read as: see `CommandLineWords`.
    @Option(help: ArgumentHelp("The port of --gdb.", visibility: .hidden))
    var gdbPort: String?

    @Flag(help: ArgumentHelp("Leave every call caught, for measuring.", visibility: .hidden))
    var keepSites = false

    @Flag(name: .shortAndLong, help: "Say nothing but errors.")
    var quiet = false

    @Flag(name: .shortAndLong, help: "Say what is done.")
    var verbose = false

    func apply(to request: inout LaunchRequest) throws {
        if let trace, let word = TraceFilter.wrongWord(in: trace) {
            throw LaunchFailure(
                word.isEmpty
                    ? "trace '\(trace)' has an empty word; write names with commas between, as open,%file"
                    : "trace '\(word)' is no system call and no group; see unirun syscalls, or write %file"
            )
        }
        if strace || trace != nil {
            request.trace = TraceRequest(filter: trace ?? "", output: output)
        } else if let output {
            throw LaunchFailure("--output \(output) says where --strace writes; add --strace")
        }
        guard core == nil || !request.hasOwnTerminal else {
            throw LaunchFailure(
                "nobody takes the core of a machine of Firecracker; leave --core out"
            )
        }
        request.core = core
        request.wantsStatistics = stats
        request.waitsForDebugger = gdb || gdbPort != nil
        request.debuggerPort = try gdbPort.map { text throws(LaunchFailure) in
            try debuggerPort(text, request.platform)
        }
        request.keepsSites = keepSites
        request.verbosity = quiet ? .quiet : verbose ? .verbose : .normal
    }

    private func debuggerPort(_ text: String, _ platform: GuestPlatform) throws(LaunchFailure)
        -> UInt16
    {
        guard let port = UInt16(text), port > 0 else {
            throw LaunchFailure(
                "port '\(text)' is not a number from 1 to 65535; write --gdb=1234, or --gdb alone"
            )
        }
        guard platform == .vm else {
            throw LaunchFailure(
                "--gdb=PORT is for a virtual machine; add --platform vm, or leave the port out"
            )
        }
        return port
    }
}
