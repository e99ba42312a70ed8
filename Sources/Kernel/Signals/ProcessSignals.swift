import LinuxABI

/// The signals of a process: the actions, and what is pending for any of its threads.
public final class ProcessSignals {
    private var actions = InlineArray<64, SignalAction>(repeating: SignalAction())
    var pending = PendingSignals()
    /// Those who read signals from a file: woken when one is sent.
    let arrivals = WaitQueue()

    public init() {}

    func reset() {
        actions = InlineArray(repeating: SignalAction())
        pending.discard(SignalSet(rawValue: .max))
    }

    func discardPending() { pending.discard(SignalSet(rawValue: .max)) }

    public subscript(signal: Signal) -> SignalAction {
        get { actions[Int(signal.rawValue) - 1] }
        set { actions[Int(signal.rawValue) - 1] = newValue }
    }

    /// Caught signals go back to their default, as at execve(2); ignored ones stay ignored.
    func resetHandlers() {
        for index in 0..<64 {
            let handler = actions[index].isIgnored ? SignalAction.ignored : SignalAction.byDefault
            actions[index] = SignalAction(handler: handler)
        }
    }

    /// The actions of a parent, for a new process; without handlers as after execve(2).
    func inheritActions(of other: ProcessSignals, keepsHandlers: Bool) {
        actions = other.actions
        if !keepsHandlers { resetHandlers() }
    }

    /// Ignores signals from the start, as a program does that `nohup` runs: bit n-1 for signal n.
    func ignore(_ ignored: UInt64) {
        for index in 0..<64 where ignored >> UInt64(index) & 1 != 0 {
            actions[index] = SignalAction(handler: SignalAction.ignored)
        }
    }

    /// Whether a signal is ignored, by its action or by default.
    func isIgnored(_ signal: Signal) -> Bool {
        let action = self[signal]
        if action.isDefault { return SignalSet.ignoredByDefault.contains(signal) }
        return action.isIgnored
    }

    /// Offers what is pending to the threads that would take it.
    func redistribute(in process: Process) {
        guard !pending.set.isEmpty else { return }
        let waiting = pending.set
        process.forEachThread { thread in
            guard !thread.signals.isEnding, !waiting.isSubset(of: thread.signals.mask) else {
                return
            }
            thread.signals.notify(thread)
        }
    }
}

extension Process {
    /// Replaces an action and returns the one before, as sigaction(2). An action that ignores a
    /// signal forgets those that are pending, blocked ones too.
    ///
    /// Throws `invalidArgument` for SIGKILL and SIGSTOP.
    public func setAction(_ action: SignalAction, for signal: Signal) throws(Errno)
        -> SignalAction
    {
        guard !SignalSet.unblockable.contains(signal) else { throw .invalidArgument }
        let before = signals[signal]
        var action = action
        action.flags.formIntersection(.known)
        action.mask.subtract(.unblockable)
        signals[signal] = action
        if signals.isIgnored(signal) {
            signals.pending.discard(SignalSet(signal))
            forEachThread { $0.signals.pending.discard(SignalSet(signal)) }
            timers.signalDiscarded(signal)
        }
        return before
    }
}
