import LinuxABI
import Platform

/// What clone(2) and clone3(2) ask for.
public struct CloneRequest {
    public var flags: CloneFlags
    /// Initial stack pointer; zero keeps the caller's.
    public var stack: UInt
    public var parentThreadID: UInt
    public var childThreadID: UInt
    public var threadPointer: UInt

    public init(
        flags: CloneFlags,
        stack: UInt,
        parentThreadID: UInt,
        childThreadID: UInt,
        threadPointer: UInt
    ) {
        self.flags = flags
        self.stack = stack
        self.parentThreadID = parentThreadID
        self.childThreadID = childThreadID
        self.threadPointer = threadPointer
    }
}

extension Thread {
    /// Creates a thread of the current process that goes on in the program where the caller's
    /// `frame` does, with zero as the call's result. Returns its number.
    ///
    /// Throws `notImplemented` for a new process, `invalidArgument` for flags that Linux does not
    /// combine, `wouldBlock` when there are too many threads.
    public static func clone(
        _ request: CloneRequest,
        frame: UnsafePointer<trap_frame>
    ) throws(Errno) -> Int32 {
        try check(request)
        let parent = Thread.current
        let process = parent.process!
        if process.exitStatus != nil { throw .interrupted }
        let limit = process.limits[.processes].current
        guard process.credentials.effectiveUser == 0 || UInt64(ThreadTable.count) < limit else {
            throw .wouldBlock
        }

        let child = try Thread.create(in: process)
        child.name = parent.name
        child.timerSlack = parent.timerSlack
        child.signals.mask = parent.signals.mask
        child.saved.pointee.threadPointer =
            request.flags.contains(.setThreadPointer)
            ? UInt64(request.threadPointer) : thread_pointer_read()
        child.saved.pointee.takeVectorState()
        child.frame.pointee = frame.pointee
        child.frame.pointee.rax = 0
        child.frame.pointee.original_rax = noSystemCall
        if request.stack != 0 { child.frame.pointee.rsp = UInt64(request.stack) }
        child.prepareToEnterProgram()

        // As Linux, no error for a word that cannot be written.
        if request.flags.contains(.storeInParent) {
            try? UserPointer<Int32>(request.parentThreadID).store(child.id)
        }
        if request.flags.contains(.storeInChild) {
            try? UserPointer<Int32>(request.childThreadID).store(child.id)
        }
        if request.flags.contains(.clearInChild) { child.clearOnExit = request.childThreadID }
        Scheduler.enqueue(child)
        return child.id
    }

    private static func check(_ request: CloneRequest) throws(Errno) {
        let flags = request.flags
        if flags.contains(.thread), !flags.contains(.signalActions) { throw .invalidArgument }
        if flags.contains(.signalActions), !flags.contains(.addressSpace) {
            throw .invalidArgument
        }
        guard flags.contains(.thread) else { throw .notImplemented }
        guard flags.isSuperset(of: .requiredOfThreads),
            flags.subtracting(.knownOfThreads).isEmpty
        else { throw .invalidArgument }
        if flags.contains(.setThreadPointer) {
            // wrfsbase faults on an address that is not canonical.
            guard request.threadPointer < 1 << 47 else { throw .notPermitted }
        }
    }
}
