import LinuxABI

/// A process as an open file, by which it is meant though its number may be another's by now:
/// pidfd_open(2).
public final class ProcessFile: OpenFile {
    unowned(unsafe) private let process: Process
    public let id: Int32
    private let startTime: Nanoseconds

    init(_ process: Process, _ flags: OpenFlags) {
        self.process = process
        id = process.id
        startTime = process.startTime
        super.init(flags: flags.intersection(.nonBlocking).union(.readWrite))
    }

    /// Throws `noSuchProcess` when it was waited for.
    public func target() throws(Errno) -> Process {
        try ProcessTable.process(id, startedAt: startTime)
    }

    /// Processes are pooled: the queue stays.
    public override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(process.threadEnded) }

    /// Readable when the process has ended, and hung up when it was waited for.
    public override func readiness() -> PollEvents {
        guard let target = try? target() else {
            return [.readable, .readNormal, .hangUp]
        }
        return target.hasEnded ? .allReadable : []
    }

    public override func describe(into text: inout TextBuffer) { text.append("anon_inode:[pidfd]") }
}

extension DescriptorTable {
    /// As pidfd_open(2). Throws `invalidArgument`, `noSuchProcess`.
    public func openProcess(_ id: Int32, _ flags: OpenFlags) throws(Errno) -> FileDescriptor {
        guard id > 0, flags.isSubset(of: .nonBlocking) else { throw .invalidArgument }
        guard let process = ProcessTable.process(id) else {
            throw ThreadTable.thread(id) == nil ? .noSuchProcess : .noSuchFileOrDirectory
        }
        return try insert(ProcessFile(process, flags), closesOnExec: true)
    }

    /// The process that a descriptor means. Throws `badDescriptor`.
    public func processFile(_ descriptor: FileDescriptor) throws(Errno) -> ProcessFile {
        guard let file = try file(descriptor) as? ProcessFile else { throw .badDescriptor }
        return file
    }

    /// Whom pidfd_send_signal(2) is to signal: it takes a folder /proc/PID too.
    public func signalTarget(_ descriptor: FileDescriptor) throws(Errno) -> Int32 {
        let file = try file(descriptor)
        if let process = file as? ProcessFile { return try process.target().id }
        guard let folder = file.inode as? ProcessDirectory else { throw .badDescriptor }
        return try folder.target().id
    }

    /// As pidfd_getfd(2): another process's open file.
    public func takeFile(_ other: FileDescriptor, of descriptor: FileDescriptor)
        throws(Errno) -> FileDescriptor
    {
        let target = try processFile(descriptor).target()
        guard target.credentials.admits(Process.current.credentials.fileSystemUser) else {
            throw .notPermitted
        }
        guard let descriptors = target.descriptors else { throw .noSuchProcess }
        return try insert(try descriptors.file(other), closesOnExec: true)
    }
}

extension Credentials {
    /// Whether the current process, as `user`, may look into one with these credentials: the check that
    /// ptrace(2) describes.
    func admits(_ user: UInt32) -> Bool {
        user == realUser && user == effectiveUser && user == savedUser
            || Process.current.credentials.effectiveUser == 0
    }
}
