import Glibc
import LaunchRecord
import SystemPackage
import TenderSupport

/// One run of a program, from the request to the exit status.
public struct Launch {
    let request: LaunchRequest

    public init(_ request: LaunchRequest) { self.request = request }

    /// All that a kernel is started with.
    struct Preparation {
        var image: String
        /// Nil when it is in the root image.
        var program: ProgramFile?
        var files: KernelProcess.Files
        var volumes: [VolumeFolder]
        var core: CoreFile?
    }

    /// Runs the program to its end; the status that `unirun` is to exit with.
    public func run() throws(LaunchFailure) -> Int32 {
        let prepared = try prepare(StandardStreams.capture())
        let (image, program, files) = (prepared.image, prepared.program, prepared.files)
        if request.usesFirecracker { return try runInFirecracker(image: image, files: files) }
        defer { prepared.core?.finish(request.program, isQuiet: request.verbosity == .quiet) }
        if request.platform == .vm {
            return try emulate(image: image, files: files, program, prepared.volumes, prepared.core)
        }
        return try supervise(
            image: image,
            files: files,
            program: program,
            volumes: prepared.volumes,
            prepared.core
        )
    }

    private func openCore() throws(LaunchFailure) -> CoreFile? {
        guard let path = request.core else { return nil }
        return try CoreFile(path, memory: request.memoryLimit ?? MemorySize.ofHost())
    }

    /// Finds and opens what the request names.
    func prepare(_ streams: [HostStream]) throws(LaunchFailure) -> Preparation {
        let image = try KernelImage.find()
        let root = try request.root.map { path throws(LaunchFailure) in try RootSource(path) }
        let volumes = try VolumeFolder.open(request.volumes)
        let source = try ProgramLookup(
            name: request.program,
            workingDirectory: request.workingDirectory,
            root: root,
            volumes: request.volumes,
            searchPath: hostVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        ).find()
        var program: ProgramFile?
        if case .hostFile(let path) = source {
            program = try ProgramFile(path, hasRoot: root != nil)
        }
        let rootImage = try root.map { source throws(LaunchFailure) in
            try RootImage(source, verbosity: request.verbosity)
        }
        let facts = LaunchFacts(
            guestProgramPath: guestPath(of: source),
            programSize: program?.size,
            rootImageSize: rootImage?.size,
            streams: request.hasOwnTerminal ? StandardStreams.ofOwnTerminal : streams,
            ignoredSignals: request.hasOwnTerminal ? 0 : SignalProxy.ignoredSignals(),
            randomSeed: try randomSeed(),
            knownSites: knownSites(of: program)
        )
        return Preparation(
            image: image,
            program: program,
            files: try openFiles(facts, program: program, rootImage: rootImage),
            volumes: volumes,
            core: try openCore()
        )
    }

    /// The program appears in the guest where it was named; a command from `PATH` where it lies.
    private func guestPath(of source: ProgramSource) -> String {
        switch source {
        case .hostFile(let path), .rootFile(let path), .volumeFile(let path):
            GuestPath.resolve(path, in: request.workingDirectory)
        }
    }

    /// A debugger knows the return from a signal by its bytes, too: nothing is changed beforehand.
    private func knownSites(of program: ProgramFile?) -> [KnownSite] {
        if request.keepsSites || request.waitsForDebugger { return [] }
        return program?.sites.load() ?? []
    }

    private func randomSeed() throws(LaunchFailure) -> [UInt8] {
        var seed = [UInt8](repeating: 0, count: 32)
        guard getrandom(&seed, seed.count, 0) == seed.count else {
            throw LaunchFailure("cannot get random numbers of the host: \(lastErrorText())")
        }
        return seed
    }

    private func openFiles(
        _ facts: LaunchFacts,
        program: ProgramFile?,
        rootImage: RootImage?
    ) throws(LaunchFailure) -> KernelProcess.Files {
        var files = KernelProcess.Files(
            launchRecord: try MemoryFile.make("launch record", holding: request.record(facts)),
            memory: try MemoryFile.make("memory", size: request.memoryLimit ?? MemorySize.ofHost())
        )
        files.program = program?.descriptor ?? -1
        files.rootImage = rootImage?.descriptor ?? -1
        if let trace = request.trace { files.trace = try openTrace(trace) }
        if request.wantsStatistics { files.statistics = try MemoryFile.make("statistics", size: 0) }
        return files
    }

    private func openTrace(_ trace: TraceRequest) throws(LaunchFailure) -> Int32 {
        guard let path = trace.output else { return STDERR_FILENO }
        let descriptor = openFile(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o666)
        guard descriptor >= 0 else {
            throw LaunchFailure(
                "cannot write the trace to \(path): \(lastErrorText()); check --output"
            )
        }
        return descriptor
    }

    private func supervise(
        image: String,
        files: KernelProcess.Files,
        program: ProgramFile?,
        volumes: [VolumeFolder],
        _ core: CoreFile?
    ) throws(LaunchFailure) -> Int32 {
        let signals = try SignalProxy()
        var files = files
        let folders = try VolumeFolder.serve(volumes)
        if let folders { files.folders = folders }
        let pipe = try core.map { file throws(LaunchFailure) in
            try CorePipe(file, other: &files.core)
        }
        let kernel = try KernelProcess(
            image: image,
            title: ["unirun:\(request.name ?? baseName(request.program))", request.program],
            files: files,
            stopsForDebugger: request.waitsForDebugger
        )
        // The server's end comes with the kernel's.
        if let folders { close(folders) }
        if pipe != nil { close(files.core) }
        if request.verbosity == .verbose { reportLine("runs as process \(kernel.pid)") }
        guard request.waitsForDebugger else { return follow(kernel, signals, program, pipe) }
        let session = DebuggerSession(kernel: kernel.pid, image: image, program: program)
        reportLine(try session.announce())
        defer { session.remove() }
        return follow(kernel, signals, program, pipe)
    }

    // MARK: As a process

    private func follow(
        _ kernel: KernelProcess,
        _ signals: SignalProxy,
        _ program: ProgramFile?,
        _ core: CorePipe?
    ) -> Int32 {
        var supervisor = Supervisor(
            kernel: kernel,
            signals: signals,
            memory: request.memoryLimit.flatMap {
                MemoryWatch(limit: $0, pid: kernel.pid, memory: kernel.memory)
            },
            core: core,
            isDebugged: request.waitsForDebugger
        )
        let status = supervisor.run()
        ChildProcesses.endAll()
        core?.drain()
        program?.keep(supervisor.knownSites)
        // A program that ends by itself leaves the terminal as it wants it, as stty(1) does.
        if status.signal != nil || status.code > 128 { supervisor.restoreTerminal() }
        if kernel.statistics >= 0 { showStatistics(kernel.statistics, program) }
        if let reason = supervisor.endReason, status.signal == SIGKILL { return report(reason) }
        return exitStatus(status)
    }

    private func report(_ reason: Supervisor.EndReason) -> Int32 {
        switch reason {
        // As a container that runs out of its memory: killed, which is status 137.
        case .memory:
            let limit = (request.memoryLimit ?? 0) >> 20
            reportLine(
                "\(request.program): killed: it used more memory than --memory \(limit)M allows; give more"
            )
            return 128 + SIGKILL
        case .uncountable(let error):
            reportLine(
                "\(request.program): cannot count its processes: \(Errno(rawValue: error).description); "
                    + "forking needs Linux 5.19, pidfd_getfd(2) and no other seccomp listener "
                    + "(in a container: CAP_SYS_PTRACE), or --platform vm"
            )
            return 125
        }
    }

    func showStatistics(_ descriptor: Int32, _ program: ProgramFile?) {
        lseek(descriptor, 0, SEEK_SET)
        let lines = String(decoding: readAll(descriptor) ?? [], as: UTF8.self)
        let table = StatisticsTable(lines, symbol: program?.symbolName ?? { _ in nil }).rendered()
        _ = Array(table.utf8).withUnsafeBytes { writeAll(STDERR_FILENO, $0) }
    }

    private func exitStatus(_ status: ExitStatus) -> Int32 {
        guard let signal = status.signal else { return status.code }
        switch signal {
        case SIGINT, SIGTERM, SIGHUP, SIGQUIT:
            // It came before the kernel had its handlers, and did what it does to any program.
            return 128 + signal
        case SIGKILL:
            reportLine(
                "\(request.program): the kernel was killed (SIGKILL): by somebody, or for want of memory"
            )
            return 128 + signal
        default:
            reportLine(
                "\(request.program): the kernel itself died of signal \(signal); "
                    + "please report this with the output of --strace"
            )
            return LaunchFailure.unirunStatus
        }
    }
}

/// What follows the last slash; all of it when that is nothing.
func baseName(_ path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    let name = path[path.utf8.index(after: slash)...]
    return name.isEmpty ? path : String(name)
}
