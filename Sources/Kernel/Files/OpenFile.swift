import LinuxABI

/// An open file description: what open(2) made, shared by all descriptors that were duplicated
/// from it.
///
/// Reading and writing are attempts: a file that is not ready throws `wouldBlock`, and
/// `OpenFile+Blocking.swift` waits on `waitQueue` and tries again, so that no file waits itself.
public class OpenFile {
    /// The access mode and the status flags of fcntl(F_GETFL).
    public final var flags: OpenFlags
    /// Where the next read or write begins, in bytes.
    public final var position = 0
    public final let traits: Traits
    /// Who gets SIGIO, and where that is asked for what sends it.
    public final var owner = FileOwner()
    final var news: FileNews?

    public struct Traits: OptionSet, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static var readable: Traits { Traits(rawValue: 1) }
        public static var writable: Traits { Traits(rawValue: 2) }
        /// Has a position, and can be read and written at any.
        public static var seekable: Traits { Traits(rawValue: 4) }
        /// A blocking write goes on until all is written.
        public static var writesAll: Traits { Traits(rawValue: 8) }
        /// Is a `SocketFile`.
        public static var socket: Traits { Traits(rawValue: 16) }
    }

    /// Where the file was opened; nil for files that no directory names.
    public final let dentry: Dentry?

    public init(flags: OpenFlags, traits: Traits = [], dentry: Dentry? = nil) {
        self.dentry = dentry
        self.flags = flags.subtracting(.creation)
        var traits = traits
        if !flags.contains(.path) {
            if flags.isReadable { traits.insert(.readable) }
            if flags.isWritable { traits.insert(.writable) }
        }
        self.traits = traits
    }

    /// The places at which epoll(7) watches the file.
    final var firstWatch: Unmanaged<EpollWatch>?

    deinit {
        if hasLocks { inode?.locks?.releaseAll(FileLocks.Owner(self)) }
        while let watch = firstWatch { watch.takeUnretainedValue().fileClosed() }
        if !FileWatches.isIdle, !flags.contains(.path) {
            FileWatches.tell(flags.isWritable ? .closedAfterWriting : .closed, dentry)
        }
    }

    /// What fcntl(F_GETFL) tells. Linux sets O_LARGEFILE in all that a 64-bit program opens by a
    /// path, but with O_PATH.
    public final var statusFlags: OpenFlags {
        isOpenedByPath && !flags.contains(.path) ? flags.union(.largeFile) : flags
    }

    /// Waits for what opening waits for; called when no path is held.
    public func finishOpening() throws(Errno) {}

    /// Gives what can be read at once, and moves `position` on.
    public func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        throw .invalidArgument
    }

    /// Takes what can be written at once, and moves `position` on.
    public func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        throw .invalidArgument
    }

    /// Reads at a position of the caller's, whatever the file's own is.
    public func readPositioned(_ transfer: inout Transfer, at position: inout Int)
        throws(Errno) -> Int
    {
        try read(&transfer, at: &position)
    }

    /// Writes at a position of the caller's, whatever the file's own is.
    public func writePositioned(_ transfer: inout Transfer, at position: inout Int)
        throws(Errno) -> Int
    {
        try write(&transfer, at: &position)
    }

    /// Goes on with a read that found nothing, and waits; overridden by those whose waits have limits
    /// of their own.
    func readAgain(_ transfer: inout Transfer) throws(Errno) -> Int {
        try readWhenReady(&transfer)
    }

    /// Goes on with a write of which `count` bytes are done, and waits.
    func writeAgain(_ transfer: inout Transfer, after count: Int) throws(Errno) -> Int {
        try writeWhenReady(&transfer, after: count)
    }

    /// Where the next read or write begins.
    func currentPosition() throws(Errno) -> Int { position }

    func setCurrentPosition(_ position: Int) throws(Errno) { self.position = position }

    /// When a read that waits since `start` gives up; asked whenever it waits.
    public func readDeadline(since start: Nanoseconds) -> Nanoseconds { .never }

    /// What a read that gave up has: nothing, as at the end of the file.
    public func readLate(_ transfer: inout Transfer) throws(Errno) -> Int { 0 }

    /// What poll(2) reports now.
    public func readiness() -> PollEvents { [.allReadable, .allWritable] }

    /// Woken when `readiness` changes; nil when it never does.
    public var waitQueue: Unmanaged<WaitQueue>? { nil }

    /// What epoll(7) accepts: files that wait.
    public var isPollable: Bool { waitQueue != nil }

    /// What `lseek` means for files with a position: see `OpenFile+Seek.swift`.
    public func seek(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int {
        guard traits.contains(.seekable) else { throw .illegalSeek }
        switch origin {
        case .start: return try move(to: offset, from: 0)
        case .current: return try move(to: offset, from: position)
        case .end: return try move(to: offset, from: Int(status().size))
        case .data, .hole: throw .invalidArgument
        }
    }

    /// Whether open(2) made it, and not a call of its own such as pipe(2).
    public var isOpenedByPath: Bool { dentry != nil }

    /// Whether its queue is woken again and again while the file is ready, as those of the host's
    /// streams, and not once when it becomes ready.
    public var reportsLevel: Bool { false }

    /// Whether it can send SIGIO.
    var tellsNews: Bool { false }

    /// What of `events` SIGIO tells: one of POLL_IN and POLL_OUT, or zero.
    func newsCode(_ events: PollEvents) -> Int32 {
        events.contains(.readable) ? FileOwner.canRead : 0
    }

    /// A request of ioctl(2) that is the file's own.
    public func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        throw .notTerminal
    }

    /// The file behind the open file; nil for files that no directory names.
    public final var inode: Inode? { dentry?.inode }

    /// Whether anybody locked a part of it.
    @inline(__always)
    final var hasLocks: Bool {
        guard let node = dentry?.node else { return false }
        return node.lent.locks != nil
    }

    /// As fstat(2).
    public final func status() throws(Errno) -> FileStatus {
        var status = FileStatus()
        try fill(&status)
        return status
    }

    /// Fills a new status.
    @_optimize(speed)
    public func fill(_ status: inout FileStatus) throws(Errno) {
        if let node = dentry?.node {
            return try node.lend { (inode) throws(Errno) in try inode.fill(&status) }
        }
        status.device = AnonymousFiles.device
        status.inode = AnonymousFiles.inode
        status.mode = 0o600
    }

    /// What mmap(2) maps; nil when it cannot.
    public var mappable: (any Mappable)? { nil }

    /// Whether splice(2) takes part: what a path leads to, and streams.
    public var isSpliceable: Bool { dentry != nil && !(self is DirectoryFile) }

    /// Whether mmap(2) gives fresh memory, as of /dev/zero.
    public var mapsAnonymous: Bool { false }

    public func truncate(to size: Int) throws(Errno) { throw .invalidArgument }

    public func synchronize() throws(Errno) { throw .invalidArgument }

    /// What `/proc/PID/fd/N` shows of a file without a path, such as `pipe:[7]`.
    public func describe(into text: inout TextBuffer) { text.append("anon_inode:[file]") }

    /// What `/proc/PID/fdinfo/N` shows beside what it shows of every file.
    func appendInformation(to text: inout TextBuffer) {}

    /// Called for each descriptor that is closed.
    public func descriptorClosed() {}

    final func move(to offset: Int, from base: Int) throws(Errno) -> Int {
        let (target, overflow) = base.addingReportingOverflow(offset)
        guard !overflow, target >= 0 else { throw .invalidArgument }
        position = target
        return target
    }
}

/// A file that no path leads to and that is no pipe: eventfd, timerfd, signalfd, epoll. It has no
/// position; lseek(2) finds it where it always is.
public class AnonymousFile: OpenFile {
    public override func seek(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int { position }
}

/// `whence` of lseek(2).
public enum SeekOrigin: UInt32 {
    case start, current, end, data, hole
}

/// Files that no directory names: pipes, eventfd, epoll.
public enum AnonymousFiles {
    public static let device: UInt64 = 14
    public static let inode: UInt64 = 1
    public static let pipeDevice: UInt64 = 13
    /// POSIX message queues.
    static let queueDevice: UInt64 = 16
    public static let socketDevice: UInt64 = 8
    /// Regular files of the host.
    public static let hostDevice: UInt64 = 15
}
