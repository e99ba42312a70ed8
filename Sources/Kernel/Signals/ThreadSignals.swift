import LinuxABI
import Platform

/// The signals of one thread: its mask, what is pending for it alone, its alternate stack.
public final class ThreadSignals {
    /// Set when a wait ended because of a signal; the way out of the call decides on restarting.
    public var interruptedWait = false
    /// The interrupted call starts again whatever handler runs: ERESTARTNOINTR.
    var restartsAlways = false
    /// The blocked signals.
    public internal(set) var mask: SignalSet = []
    /// The mask to go back to when a call replaced it for its time: sigsuspend(2), ppoll(2).
    var maskBefore: SignalSet?
    /// What sigtimedwait(2) waits for: it wakes the thread though it is blocked.
    var awaited: SignalSet = []
    var pending = PendingSignals()
    public internal(set) var alternateStack = SignalStack()
    /// Set when the thread is to end on its way out of the kernel.
    var isEnding = false
    /// The last exception, for the handler's context.
    var lastException = ExceptionRecord()

    /// Set when there may be something to do on the way out; only `Signals.deliver` clears it.
    public internal(set) var needsAttention = false

    public init() {}

    /// Whether a signal waits that the thread would take on its way back to the program.
    @inline(__always)
    public func hasDeliverable(_ thread: Thread) -> Bool { needsAttention }

    func reset() {
        interruptedWait = false
        restartsAlways = false
        mask = []
        maskBefore = nil
        awaited = []
        alternateStack = SignalStack()
        isEnding = false
        lastException = ExceptionRecord()
        needsAttention = false
    }

    func discardPending() { pending.discard(SignalSet(rawValue: .max)) }

    /// Makes the thread look at its signals soon, and ends its wait if it may be interrupted.
    func notify(_ thread: Thread) {
        needsAttention = true
        if thread === Thread.current { cpu_set_pending(UInt32(CPU_PENDING_SIGNAL)) }
        // The current thread may be blocked too: the processor idles on its stack.
        Scheduler.interrupt(thread)
    }

    /// What ended a wait was taken by the call itself: nothing is left to do for it on the way out.
    func endInterruption(of thread: Thread) {
        interruptedWait = false
        let waiting = pending.set.union(thread.process.signals.pending.set)
        let isProcessEnding = isEnding || thread.process.exitStatus != nil
        needsAttention = isProcessEnding || !waiting.isSubset(of: mask)
    }

    /// Replaces the mask. Signals of the process that this thread no longer takes are offered to
    /// its other threads.
    public func setMask(_ new: SignalSet, of thread: Thread) {
        let new = new.subtracting(.unblockable)
        let newlyBlocked = new.subtracting(mask)
        mask = new
        let process = thread.process!
        let waiting = process.signals.pending.set.union(pending.set)
        guard !waiting.isEmpty else { return }
        if !process.signals.pending.set.isDisjoint(with: newlyBlocked) {
            process.signals.redistribute(in: process)
        }
        if !waiting.isSubset(of: mask) { notify(thread) }
    }

    /// Replaces the mask until the call returns: ppoll(2), pselect(2), epoll_pwait(2).
    public func setTemporaryMask(_ new: SignalSet, of thread: Thread) {
        let before = mask
        setMask(new, of: thread)
        maskBefore = before
    }

    /// Goes back to the mask of before, when the call ends without `interrupted`. After that error
    /// the way out does it, for the handler must run with the temporary mask.
    public func endTemporaryMask(of thread: Thread) {
        guard let before = maskBefore else { return }
        maskBefore = nil
        setMask(before, of: thread)
    }

    /// Whether a stack pointer lies on the alternate stack.
    func isOnAlternateStack(_ stackPointer: UInt64) -> Bool {
        // A stack that is disarmed while it is used is never seen in use.
        guard alternateStack.flags & SignalStack.disarmedOnUse == 0 else { return false }
        let base = UInt64(alternateStack.base)
        return stackPointer > base && stackPointer &- base <= UInt64(alternateStack.size)
    }
}

/// What an exception left in the processor.
struct ExceptionRecord: BitwiseCopyable {
    var vector: UInt64 = 0
    var error: UInt64 = 0
    var faultAddress: UInt64 = 0
}
