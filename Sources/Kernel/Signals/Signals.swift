import LinuxABI
import Platform

/// Sending and taking signals: signal(7).
public enum Signals {
    /// Sends what came from outside: what a terminal sends to the foreground group, what somebody on the
    /// host sends to the program itself, or to all when it has ended.
    public static func takeOutsideSignals() {
        var signals = SignalSet(rawValue: cpu_take_outside_signals())
        guard !signals.isEmpty else { return }
        let group = StandardStreams.terminal?.foregroundGroup ?? Process.firstID
        let first = ProcessTable.process(Process.firstID).flatMap { $0.hasEnded ? nil : $0 }
        while let signal = signals.lowest {
            signals.remove(SignalSet(signal))
            let isTerminals = SignalSet.fromTerminal.contains(signal)
            ProcessTable.forEach { process in
                let isMeant = isTerminals ? process.groupID == group : process === first
                if isMeant || first == nil { send(signal, to: process) }
            }
        }
    }

    /// Sends a signal to a process: a thread that does not block it takes it. False when the
    /// signal is ignored, or was pending already.
    ///
    /// Throws `wouldBlock` when a real-time signal cannot be queued.
    @discardableResult
    public static func send(
        _ signal: Signal,
        _ information: SignalInformation,
        to process: Process
    ) throws(Errno) -> Bool {
        guard process.threadCount > 0, prepare(signal, for: process) else { return false }
        guard isKept(signal, by: process, thread: process.firstThread!) else { return false }
        let isQueued = try process.signals.pending.add(
            signal,
            information,
            limit: process.limits[.pendingSignals].current
        )
        process.signals.arrivals.wake(.allReadable)
        if let taker = taker(of: signal, in: process) { taker.signals.notify(taker) }
        return isQueued
    }

    /// Sends a signal to one thread. Answers and throws as the above.
    @discardableResult
    public static func send(
        _ signal: Signal,
        _ information: SignalInformation,
        to thread: Thread
    ) throws(Errno) -> Bool {
        let process = thread.process!
        guard prepare(signal, for: process), isKept(signal, by: process, thread: thread) else {
            return false
        }
        let isQueued = try thread.signals.pending.add(
            signal,
            information,
            limit: process.limits[.pendingSignals].current
        )
        process.signals.arrivals.wake(.allReadable)
        if wants(thread, signal) { thread.signals.notify(thread) }
        return isQueued
    }

    /// Sends a signal of the kernel's own, such as SIGPIPE to a writer or SIGALRM to a process.
    public static func send(_ signal: Signal, to process: Process) {
        let information = SignalInformation(signal: signal.number, code: SignalInformation.kernel)
        // Never refused: see PendingSignals.add.
        _ = try? send(signal, information, to: process)
    }

    /// Tells the current thread that what it writes to has no reader: SIGPIPE.
    public static func raiseBrokenPipe() {
        let thread = Thread.current
        let information = SignalInformation(
            .brokenPipe,
            code: SignalInformation.user,
            senderProcess: thread.process.id,
            senderUser: thread.process.credentials.realUser
        )
        _ = try? send(.brokenPipe, information, to: thread)
    }

    /// What a signal does when it is sent: a stop takes back SIGCONT and the other way round.
    /// False when the process is beyond signals.
    private static func prepare(_ signal: Signal, for process: Process) -> Bool {
        guard process.exitStatus == nil else { return false }
        if SignalSet.stopping.contains(signal) {
            discard(SignalSet(.continue), in: process)
        } else if signal == .continue {
            discard(.stopping, in: process)
            process.continue(tells: true)
        } else if signal == .kill {
            process.continue(tells: false)
        }
        return true
    }

    private static func discard(_ signals: SignalSet, in process: Process) {
        process.signals.pending.discard(signals)
        process.forEachThread { $0.signals.pending.discard(signals) }
    }

    /// A blocked signal is kept though it is ignored: its action may change before it is taken.
    private static func isKept(_ signal: Signal, by process: Process, thread: Thread) -> Bool {
        if thread.signals.mask.contains(signal) || thread.signals.awaited.contains(signal) {
            return true
        }
        return !process.signals.isIgnored(signal)
    }

    static func wants(_ thread: Thread, _ signal: Signal) -> Bool {
        // A thread that ended may still be the current one: the processor idles on its stack.
        guard !thread.signals.isEnding, thread.state != .exited else { return false }
        return !thread.signals.mask.contains(signal) || thread.signals.awaited.contains(signal)
    }

    /// The thread that takes a signal of the process, as Linux's complete_signal: the oldest that
    /// wants it and has nothing else to take, which is the first one as a rule.
    private static func taker(of signal: Signal, in process: Process) -> Thread? {
        let current = Thread.current
        var found: Thread?
        var busy: Thread?
        process.forEachThread { thread in
            guard found == nil, wants(thread, signal) else { return }
            if thread === current || !thread.signals.needsAttention {
                found = thread
            } else if busy == nil {
                busy = thread
            }
        }
        return found ?? busy
    }

    // MARK: Taking

    /// Takes the next signal of `allowed`: what the thread itself caused first, then its own, then
    /// the process's, the lowest number first.
    static func take(_ allowed: SignalSet, by thread: Thread) -> SignalInformation? {
        let process = thread.process!
        let own = thread.signals.pending.set.intersection(allowed)
        if let signal = own.intersection(.synchronous).lowest ?? own.lowest {
            return finish(thread.signals.pending.take(signal), process)
        }
        let shared = process.signals.pending.set.intersection(allowed)
        if let signal = shared.intersection(.synchronous).lowest ?? shared.lowest {
            return finish(process.signals.pending.take(signal), process)
        }
        return nil
    }

    /// A timer counts and starts again when its signal is taken.
    private static func finish(_ information: SignalInformation, _ process: Process)
        -> SignalInformation
    {
        guard information.code == SignalInformation.timer else { return information }
        return process.timers.signalTaken(information)
    }

    // MARK: Exceptions

    /// Sends the current thread a signal that it caused, and that it cannot escape: when it is
    /// blocked or ignored the default action is taken.
    public static func force(_ signal: Signal, _ information: SignalInformation) {
        let thread = Thread.current
        let process = thread.process!
        let isBlocked = thread.signals.mask.contains(signal)
        if isBlocked || process.signals[signal].isIgnored {
            process.signals[signal] = SignalAction()
            thread.signals.mask.remove(SignalSet(signal))
        }
        _ = try? thread.signals.pending.add(signal, information)
        thread.signals.notify(thread)
    }

    /// The signal frame could not be written or read: SIGSEGV, without a handler when it was
    /// SIGSEGV's own frame.
    public static func forceSegmentationFault(after signal: Signal?) {
        let thread = Thread.current
        if signal == .segmentationFault {
            thread.process.signals[.segmentationFault] = SignalAction()
        }
        force(
            .segmentationFault,
            SignalInformation(
                signal: Signal.segmentationFault.number,
                code: SignalInformation.kernel
            )
        )
    }
}
