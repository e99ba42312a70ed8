import LinuxABI
import Platform

/// What clone(2) and clone3(2) ask for.
public struct CloneRequest {
    public var flags: CloneFlags
    /// Initial stack pointer; zero keeps the caller's.
    public var stack: UInt
    public var parentThreadID: UInt
    /// Where a descriptor of the new process goes: pidfd_open(2).
    public var processDescriptor: UInt
    public var childThreadID: UInt
    public var threadPointer: UInt
    /// What the parent of a new process is sent when it ends.
    public var exitSignal: Signal?

    public init(
        flags: CloneFlags,
        exitSignal: Signal? = nil,
        stack: UInt,
        parentThreadID: UInt,
        processDescriptor: UInt = 0,
        childThreadID: UInt,
        threadPointer: UInt
    ) {
        self.flags = flags
        self.exitSignal = exitSignal
        self.stack = stack
        self.parentThreadID = parentThreadID
        self.processDescriptor = processDescriptor
        self.childThreadID = childThreadID
        self.threadPointer = threadPointer
    }
}

extension Thread {
    /// Creates a thread of the current process, or of a new one, that goes on in the program where the
    /// caller's `frame` does, with zero as the call's result. Returns its number.
    ///
    /// Throws `invalidArgument` for flags that Linux does not combine, `wouldBlock` when there are
    /// too many threads, and what `Process.clone` throws.
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
        guard request.flags.contains(.thread) else {
            return try Process.clone(request, frame: frame)
        }
        let child = try Thread.create(in: process)
        child.continueProgram(of: parent, request, frame: frame)
        child.signals.alternateStack = SignalStack()
        Scheduler.enqueue(child)
        return child.id
    }

    /// Prepares a new thread to go on where its parent is in the program.
    func continueProgram(
        of parent: Thread,
        _ request: CloneRequest,
        frame: UnsafePointer<trap_frame>
    ) {
        name = parent.name
        timerSlack = parent.timerSlack
        signals.mask = parent.signals.mask
        signals.alternateStack = parent.signals.alternateStack
        saved.pointee.threadPointer =
            request.flags.contains(.setThreadPointer)
            ? UInt64(request.threadPointer) : thread_pointer_read()
        saved.pointee.takeVectorState()
        self.frame.pointee = frame.pointee
        self.frame.pointee.rax = 0
        self.frame.pointee.original_rax = noSystemCall
        if request.stack != 0 { self.frame.pointee.rsp = UInt64(request.stack) }
        prepareToEnterProgram()

        // As Linux, no error for a word that cannot be written.
        if request.flags.contains(.storeInParent) {
            try? UserPointer<Int32>(request.parentThreadID).store(id)
        }
        if request.flags.contains(.clearInChild) { clearOnExit = request.childThreadID }
        guard request.flags.contains(.storeInChild) else { return }
        if request.flags.contains(.addressSpace) {
            try? UserPointer<Int32>(request.childThreadID).store(id)
        } else {
            // In its own memory, before it runs.
            storesID = request.childThreadID
            signals.needsAttention = true
        }
    }

    private static func check(_ request: CloneRequest) throws(Errno) {
        let flags = request.flags
        if flags.contains(.thread), !flags.contains(.signalActions) { throw .invalidArgument }
        if flags.contains(.signalActions), !flags.contains(.addressSpace) {
            throw .invalidArgument
        }
        let isKnown =
            flags.contains(.thread)
            ? flags.isSuperset(of: .requiredOfThreads)
                && flags.subtracting(.knownOfThreads).isEmpty
            : flags.subtracting(.knownOfProcesses).isEmpty
        guard isKnown else { throw .invalidArgument }
        if flags.contains(.setThreadPointer) {
            // wrfsbase faults on an address that is not canonical.
            guard request.threadPointer < 1 << 47 else { throw .notPermitted }
        }
    }
}
