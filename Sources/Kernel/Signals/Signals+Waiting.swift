import LinuxABI

/// Waiting for signals.
extension Signals {
    /// Waits with another mask until a handler has run, as sigsuspend(2): always ends by throwing
    /// `interrupted`.
    public static func suspend(with mask: SignalSet) throws(Errno) -> Never {
        let thread = Thread.current
        thread.signals.setTemporaryMask(mask, of: thread)
        try pause()
    }

    /// Waits until a signal is to be taken, as pause(2).
    public static func pause() throws(Errno) -> Never {
        while true { try Scheduler.block(until: .never, isInterruptible: true) }
    }

    /// Takes a signal of a set without running its handler, waiting for one until the deadline, as
    /// sigtimedwait(2).
    ///
    /// Throws `wouldBlock` when the time is over, `interrupted` when another signal came.
    public static func wait(for set: SignalSet, until deadline: Nanoseconds) throws(Errno)
        -> SignalInformation
    {
        let thread = Thread.current
        let awaited = set.subtracting(.unblockable)
        if let information = take(awaited, by: thread) { return information }
        thread.signals.awaited = awaited
        defer { thread.signals.awaited = [] }
        do throws(Errno) {
            try Scheduler.block(until: deadline, isInterruptible: true)
        } catch {
            if let information = take(awaited, by: thread) {
                thread.signals.endInterruption(of: thread)
                return information
            }
            if error == .timedOut { throw .wouldBlock }
            throw error
        }
        throw .wouldBlock
    }

    /// What is pending for the thread or its process and blocked, as sigpending(2).
    public static func pending(for thread: Thread) -> SignalSet {
        let process = thread.process!
        return thread.signals.pending.set.union(process.signals.pending.set)
            .intersection(thread.signals.mask)
    }
}
