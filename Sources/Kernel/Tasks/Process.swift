import LinuxABI
import Platform

/// A program that runs: an address space, descriptors, and the threads that share them.
///
/// Like threads, processes are pooled and never freed, so that references to them cost nothing.
public final class Process {
    public static let kernelID: Int32 = 1
    /// That of the program that `unirun` was given.
    public static let firstID: Int32 = 2

    /// As getpid(2).
    public internal(set) var id: Int32 = 0
    /// nil for the kernel's own children.
    @Lent public internal(set) var parent: Process?
    /// The oldest child; the others follow by `nextSibling`.
    @Lent var firstChild: Process?
    @Lent var lastChild: Process?
    @Lent var nextSibling: Process?
    @Lent var previousSibling: Process?
    /// The oldest thread that still runs; the others follow by `nextInProcess`.
    @Lent var firstThread: Thread?
    public internal(set) var threadCount = 0

    public var addressSpace: AddressSpace! = nil {
        didSet {
            oldValue?.users -= 1
            addressSpace?.users += 1
        }
    }
    public var descriptors: DescriptorTable! = nil
    /// The descriptors, for whoever does not wait while it uses them.
    public var openFiles: Unmanaged<DescriptorTable> {
        @inline(__always) get { Unmanaged.passUnretained(descriptors.unsafelyUnwrapped) }
    }
    /// Root, working directory and umask.
    public var paths: PathContext! = nil
    public var signals: ProcessSignals! = nil
    public var credentials = Credentials()
    public var limits = ResourceLimits()

    /// What execve(2) was given, for /proc.
    public var executable = ExecutableImage()

    /// Monotonic time at which the process started.
    public internal(set) var startTime: Nanoseconds = 0
    /// Processor time of threads that have ended.
    var processorTimeOfEnded: Nanoseconds = 0
    var voluntarySwitchesOfEnded = 0
    var involuntarySwitchesOfEnded = 0
    /// Set when every thread is to end: the status as wait(2) tells it.
    public internal(set) var exitStatus: ExitStatus?
    /// It ends because there was no memory for a page that it touched.
    var exceededMemory = false
    /// What the first thread ended with, when it ended before the others.
    var leaderStatus: ExitStatus?
    /// The real user when it ended and what it had used, which its parent is told.
    var endedAs: UInt32 = 0
    var endedUsing = ResourceUsage()
    /// The thread that replaces the program and waits for the others to end: execve(2).
    @Lent var executingThread: Thread?
    /// Woken when a thread has ended.
    let threadEnded = WaitQueue()
    /// Threads that are to end wait until a core is written, and how many do.
    var gathersThreads = false
    var gatheredThreads = 0

    /// What its parent is sent when it ends; none for some of clone(2)'s.
    var exitSignal: Signal?
    /// Woken when a child has ended, stopped or continued.
    let childNews = WaitQueue()
    /// The signal that stopped it; nil while it runs.
    public internal(set) var stopSignal: Signal?
    /// Stopped or continued, and the parent has not asked yet.
    var unheardNews: ChildNews.Kind?
    /// Threads that are stopped wait here.
    let continued = WaitQueue()
    /// It runs in its parent's memory, and the parent waits: vfork(2).
    var isBorrowing = false
    let borrowingEnded = WaitQueue()
    /// What children used that were waited for.
    var childrenUse = ChildrenUse()

    /// As getpgid(2) and getsid(2).
    public internal(set) var groupID: Int32 = 0
    public internal(set) var sessionID: Int32 = 0
    public internal(set) var hasExecuted = false
    /// The terminal that controls its session, unless it gave that up.
    var terminal: ControllingTerminal?

    /// alarm(2), setitimer(2) and timer_create(2).
    public let timers = ProcessTimers()
    public var attributes = ProcessAttributes()
    /// What it takes back of semaphores when it ends.
    var firstSemaphoreUndo: Unmanaged<SemaphoreUndo>?
    @Lent var nextProcess: Process?
    @Lent var previousProcess: Process?
    /// The next process in the same bucket of the table.
    @Lent var nextInTable: Process?

    init() {}

    /// The process of the thread that runs.
    public static var current: Process {
        @inline(__always) _read { yield Thread.current.process.unsafelyUnwrapped }
    }

    /// Calls `body` with the process of the thread that runs, which counts nothing.
    @inline(__always)
    public static func lendCurrent<Result>(_ body: (Process) throws(Errno) -> Result)
        throws(Errno) -> Result
    {
        try Unmanaged.passUnretained(Thread.current.process.unsafelyUnwrapped).lend(body)
    }

    /// Calls `body` with each thread.
    public func forEachThread(_ body: (Thread) -> Void) {
        unowned(unsafe) var cursor = firstThread
        while let thread = cursor {
            cursor = thread.nextInProcess
            body(thread)
        }
    }
}

/// How a process ended.
public enum ExitStatus: Equatable {
    /// exit(2) with the low 8 bits of its argument.
    case exited(UInt8)
    case killed(signal: Int32, dumpedCore: Bool)

    /// The status as wait(2) encodes it.
    public var waitStatus: Int32 {
        switch self {
        case .exited(let code): Int32(code) << 8
        case .killed(let signal, let dumpedCore): signal | (dumpedCore ? 0x80 : 0)
        }
    }

    /// The status as a shell tells it: 128 and the signal's number for a kill.
    public var shellStatus: Int32 {
        switch self {
        case .exited(let code): Int32(code)
        case .killed(let signal, _): 128 + signal
        }
    }
}

/// User and group identities, as credentials(7).
public struct Credentials {
    public var realUser: UInt32 = 0
    public var effectiveUser: UInt32 = 0
    public var savedUser: UInt32 = 0
    public var fileSystemUser: UInt32 = 0
    public var realGroup: UInt32 = 0
    public var effectiveGroup: UInt32 = 0
    public var savedGroup: UInt32 = 0
    public var fileSystemGroup: UInt32 = 0
    public var supplementaryGroups: [UInt32] = []

    public init() {}

    public init(user: UInt32, group: UInt32) {
        realUser = user
        effectiveUser = user
        savedUser = user
        fileSystemUser = user
        realGroup = group
        effectiveGroup = group
        savedGroup = group
        fileSystemGroup = group
    }

    public func isInGroup(_ group: UInt32) -> Bool {
        group == fileSystemGroup || supplementaryGroups.contains(group)
    }
}

/// What execve(2) loaded.
public struct ExecutableImage {
    /// Absolute path, for /proc/PID/exe.
    public var path: [UInt8] = []
    /// Where the arguments, the environment and the auxiliary vector lie in the program's memory.
    public var arguments: Range<UInt> = 0..<0
    public var environment: Range<UInt> = 0..<0
    public var auxiliaryVector: [UInt64] = []
    /// The first page of the arguments as they were at first, for other processes to read.
    var keptArguments: [UInt8] = []
    /// Added to the addresses of the program's file.
    public var loadBias: UInt64 = 0
    public var stackStart: UInt = 0
    public var codeRange: Range<UInt> = 0..<0
    public var dataRange: Range<UInt> = 0..<0
    /// Keeps the file from being written.
    var hold: ExecutionHold?

    public init() {}
}
