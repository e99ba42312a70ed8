import LinuxABI
import Platform

/// New processes: fork(2), vfork(2) and clone(2) without CLONE_THREAD.
extension Process {
    /// Makes a child of the current process that goes on in the program where the caller's `frame` does,
    /// with zero as the call's result. Returns its number; after CLONE_VFORK when it has memory of its
    /// own, or has ended.
    ///
    /// Throws `invalidArgument`, `wouldBlock` when there are too many processes, `noMemory`,
    /// `notImplemented` where there can be but one address space.
    static func clone(_ request: CloneRequest, frame: UnsafePointer<trap_frame>)
        throws(Errno) -> Int32
    {
        let parent = Process.current
        let flags = request.flags
        let (child, thread) = try Process.create()
        do throws(Errno) {
            try child.inherit(parent, flags)
            if flags.contains(.processDescriptor) {
                try child.openDescriptor(in: parent, at: request.processDescriptor)
            }
        } catch {
            child.discard(thread)
            throw error
        }
        child.exitSignal = request.exitSignal
        (flags.contains(.parent) ? parent.parent : parent)?.adopt(child)
        thread.continueProgram(of: Thread.current, request, frame: frame)
        if flags.contains(.addressSpace), !flags.contains(.waitForExecute) {
            thread.signals.alternateStack = SignalStack()
        }
        if !flags.contains(.addressSpace) {
            thread.restartableSequence = Thread.current.restartableSequence
        }
        let id = child.id
        child.isBorrowing = flags.contains(.waitForExecute)
        Scheduler.enqueue(thread)
        while child.isBorrowing, child.id == id {
            try? child.borrowingEnded.wait(isInterruptible: false)
        }
        return id
    }

    private func inherit(_ parent: Process, _ flags: CloneFlags) throws(Errno) {
        descriptors =
            flags.contains(.descriptors)
            ? parent.descriptors : try parent.descriptors.duplicate()
        paths = flags.contains(.paths) ? parent.paths : parent.paths.duplicate()
        signals.inheritActions(of: parent.signals, keepsHandlers: !flags.contains(.clearHandlers))
        credentials = parent.credentials
        limits = parent.limits
        executable = parent.executable
        groupID = parent.groupID
        sessionID = parent.sessionID
        terminal = parent.terminal
        attributes = parent.attributes
        attributes.parentDeathSignal = 0
        if attributes.resetsSchedulingOnFork {
            // Of the policies that are taken none is reset.
            attributes.resetsSchedulingOnFork = false
            attributes.niceness = max(attributes.niceness, 0)
        }
        attributes.isSubreaper = false
        // Last, for it costs most, and is what may fail.
        addressSpace =
            flags.contains(.addressSpace)
            ? parent.addressSpace : try parent.addressSpace.duplicate()
    }

    /// CLONE_PIDFD
    private func openDescriptor(in parent: Process, at address: UInt) throws(Errno) {
        let descriptor = try parent.descriptors.insert(ProcessFile(self, []), closesOnExec: true)
        do throws(Errno) { try UserPointer<Int32>(address).store(Int32(descriptor.rawValue)) } catch
        {
            try? parent.descriptors.close(descriptor)
            throw error
        }
    }

    /// Takes a process back that never ran.
    private func discard(_ thread: Thread) {
        remove(thread)
        ThreadTable.put(thread)
        giveBack()
        ProcessTable.livingCount -= 1
        ProcessTable.put(self)
    }
}
