import LinuxABI
import Platform

/// The processes, oldest first, those among them that have ended and wait to be asked for.
public enum ProcessTable {
    /// A page of memory knows how many of them share it.
    public static let capacity = 4000
    private static let bucketCount = 256

    unowned(unsafe) nonisolated(unsafe) private static var first: Process?
    unowned(unsafe) nonisolated(unsafe) private static var last: Process?
    unowned(unsafe) nonisolated(unsafe) private static var firstFree: Process?
    nonisolated(unsafe) private static var buckets: UnsafeMutablePointer<Lent<Process>>! = nil
    nonisolated(unsafe) public private(set) static var count = 0
    /// Those that have not ended.
    nonisolated(unsafe) static var livingCount = 0
    nonisolated(unsafe) static var stoppedCount = 0

    static func start() {
        if buckets == nil { buckets = .allocate(capacity: bucketCount) }
        buckets.initialize(repeating: Lent(wrappedValue: nil), count: bucketCount)
        first = nil
        last = nil
        count = 0
        livingCount = 0
        stoppedCount = 0
    }

    /// The process with a number, as getpid(2) tells it.
    public static func process(_ id: Int32) -> Process? {
        var cursor = buckets[bucket(id)]
        while let process = cursor.wrappedValue, process.id != id {
            cursor.wrappedValue = process.nextInTable
        }
        return cursor.wrappedValue
    }

    /// The same, where it is still the one that began then: numbers are used again. Throws
    /// `noSuchProcess` when that was waited for.
    static func process(_ id: Int32, startedAt time: Nanoseconds) throws(Errno) -> Process {
        guard let process = process(id), process.startTime == time else { throw .noSuchProcess }
        return process
    }

    public static func forEach(_ body: (Process) -> Void) {
        unowned(unsafe) var cursor = first
        while let process = cursor {
            cursor = process.nextProcess
            body(process)
        }
    }

    /// The oldest process that is meant.
    static func first(where isMeant: (Process) -> Bool) -> Process? {
        unowned(unsafe) var cursor = first
        while let process = cursor {
            if isMeant(process) { return process }
            cursor = process.nextProcess
        }
        return nil
    }

    /// Whether a process group has any member.
    public static func hasGroup(_ group: Int32) -> Bool { member(ofGroup: group) != nil }

    /// Takes a process out of the pool; it has no thread and no number yet.
    static func take() throws(Errno) -> Process {
        guard count < capacity else { throw .wouldBlock }
        let process: Process
        if let free = firstFree {
            firstFree = free.nextProcess
            process = free
        } else {
            process = try KernelHeap.countingAsPooled(make)
        }
        process.nextProcess = nil
        process.previousProcess = last
        if let last { last.nextProcess = process } else { first = process }
        last = process
        count += 1
        return process
    }

    private static func make() -> Process {
        let process = immortal(Process())
        immortal(process.threadEnded)
        immortal(process.childNews)
        immortal(process.continued)
        immortal(process.borrowingEnded)
        immortal(process.timers)
        process.signals = immortal(ProcessSignals())
        return process
    }

    /// Gives a process its number.
    static func name(_ process: Process, _ id: Int32) {
        process.id = id
        process.nextInTable = buckets[bucket(id)].wrappedValue
        buckets[bucket(id)].wrappedValue = process
    }

    /// Puts a process back that nobody can ask for any more.
    static func put(_ process: Process) {
        if process.id != 0 { removeFromBucket(process) }
        let (previous, next) = (process.previousProcess, process.nextProcess)
        if let previous { previous.nextProcess = next } else { first = next }
        if let next { next.previousProcess = previous } else { last = previous }
        count -= 1
        process.nextProcess = firstFree
        firstFree = process
    }

    private static func removeFromBucket(_ process: Process) {
        let index = bucket(process.id)
        guard buckets[index].wrappedValue !== process else {
            buckets[index].wrappedValue = process.nextInTable
            return
        }
        var cursor = buckets[index]
        while let previous = cursor.wrappedValue {
            guard previous.nextInTable !== process else {
                previous.nextInTable = process.nextInTable
                return
            }
            cursor.wrappedValue = previous.nextInTable
        }
    }

    private static func bucket(_ id: Int32) -> Int {
        Int(UInt32(bitPattern: id)) & (bucketCount - 1)
    }
}

extension Process {
    /// Creates a process with its first thread, whose number it has. The caller gives it an
    /// address space, descriptors and paths, and the thread a context.
    public static func create() throws(Errno) -> (Process, Thread) {
        let process = try ProcessTable.take()
        process.reset()
        let thread: Thread
        do throws(Errno) { thread = try Thread.create(in: process) } catch {
            ProcessTable.put(process)
            throw error
        }
        ProcessTable.name(process, thread.id)
        ProcessTable.livingCount += 1
        process.groupID = thread.id
        process.sessionID = thread.id
        process.startTime = now()
        return (process, thread)
    }

    private func reset() {
        id = 0
        parent = nil
        firstChild = nil
        lastChild = nil
        exitSignal = .child
        stopSignal = nil
        unheardNews = nil
        isBorrowing = false
        childrenUse = ChildrenUse()
        firstThread = nil
        threadCount = 0
        processorTimeOfEnded = 0
        voluntarySwitchesOfEnded = 0
        involuntarySwitchesOfEnded = 0
        exitStatus = nil
        leaderStatus = nil
        executingThread = nil
        hasExecuted = false
        signals.reset()
        attributes = ProcessAttributes()
        credentials = Credentials()
        limits = ResourceLimits()
        executable = ExecutableImage()
    }

    /// Adds a thread after those there are.
    func add(_ thread: Thread) {
        thread.nextInProcess = nil
        threadCount += 1
        guard var last = firstThread else {
            firstThread = thread
            return
        }
        while let next = last.nextInProcess { last = next }
        last.nextInProcess = thread
    }

    func remove(_ thread: Thread) {
        threadCount -= 1
        if firstThread === thread {
            firstThread = thread.nextInProcess
            return
        }
        unowned(unsafe) var cursor = firstThread
        while let previous = cursor {
            if previous.nextInProcess === thread {
                previous.nextInProcess = thread.nextInProcess
                return
            }
            cursor = previous.nextInProcess
        }
    }

    /// Time that the threads have spent on the processor, those that ended included.
    public var processorTime: Nanoseconds {
        var total = processorTimeOfEnded
        forEachThread { total &+= $0.currentProcessorTime }
        return total
    }
}

/// What prctl(2), personality(2), membarrier(2) and setpriority(2) set for a process.
public struct ProcessAttributes {
    /// PR_SET_NO_NEW_PRIVS
    public var hasNoNewPrivileges = false
    /// PR_SET_DUMPABLE
    public var isDumpable = true
    /// What its core holds.
    public var coreFilter = CoreFilter.usual
    /// /proc/PID/oom_score_adj, and the least that others than root may set.
    var memoryScore: Int32 = 0
    var leastMemoryScore: Int32 = 0
    /// PR_SET_PDEATHSIG
    public var parentDeathSignal: Int32 = 0
    /// PR_SET_KEEPCAPS
    public var keepsCapabilities = false
    /// PR_SET_CHILD_SUBREAPER
    public var isSubreaper = false
    public var personality: UInt32 = 0
    /// What the process registered for with membarrier(2), as the bits of those commands.
    public var barriers: UInt32 = 0
    /// -20 to 19.
    public var niceness: Int32 = 0
    /// As sched_setscheduler(2).
    public var schedulingPolicy: Int32 = 0
    public var schedulingPriority: Int32 = 0
    /// SCHED_RESET_ON_FORK
    public var resetsSchedulingOnFork = false

    public init() {}
}
