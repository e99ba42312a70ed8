import LinuxABI
import Platform

/// What becomes of a call that a signal interrupted: signal(7).
public enum RestartClass: UInt8 {
    /// Fails with EINTR.
    case never
    /// Starts again when the handler's SA_RESTART says so, or when no handler ran.
    case byAction
    /// Starts again only when no handler ran.
    case withoutHandler
    /// As `withoutHandler`, for the time that is left: nanosleep(2) and its kin.
    case remaining
}

/// `original_rax` of a frame that is not a system call's.
public let noSystemCall = UInt64.max

extension Signals {
    /// Acts on the current thread's signals before it goes back to the program, by changing the
    /// registers it goes back to. Does not return when the thread ends.
    ///
    /// `rule` is that of the call under way; it counts only when `frame.original_rax` tells one.
    public static func deliver(
        _ frame: UnsafeMutablePointer<trap_frame>,
        restart rule: RestartClass
    ) {
        let thread = Thread.current
        guard thread.signals.needsAttention else { return }
        deliver(thread, frame, rule)
    }

    private static func deliver(
        _ thread: Thread,
        _ frame: UnsafeMutablePointer<trap_frame>,
        _ rule: RestartClass
    ) {
        let signals = thread.signals
        let process = thread.process!
        if thread.storesID != 0 {
            // As Linux, no error for a word that cannot be written.
            try? UserPointer<Int32>(thread.storesID).store(thread.id)
            thread.storesID = 0
        }
        while true {
            if process.isStopped { process.waitWhileStopped() }
            if signals.isEnding || process.exitStatus != nil {
                process.waitForCore()
                Thread.endCurrent()
            }
            let unblocked = SignalSet(rawValue: ~signals.mask.rawValue)
            guard let information = take(unblocked, by: thread),
                let signal = Signal(number: Int(information.signal))
            else { break }
            Tasks.observer?.signalTaken(information)
            let action = process.signals[signal]
            if action.isIgnored { continue }
            if action.isDefault {
                takeDefaultAction(signal, process, information)
                continue
            }
            if action.flags.contains(.resetHandler) { process.signals[signal] = SignalAction() }
            decideRestart(thread, frame, rule, action)
            enterHandler(thread, frame, signal, action, information)
        }
        decideRestart(thread, frame, rule, nil)
        if let before = signals.maskBefore {
            signals.maskBefore = nil
            signals.setMask(before, of: thread)
        }
        let waiting = signals.pending.set.union(process.signals.pending.set)
        signals.needsAttention = !waiting.isSubset(of: signals.mask)
        // The mask that came back may let through what the temporary one did not.
        if signals.needsAttention { deliver(thread, frame, rule) }
    }

    private static func takeDefaultAction(
        _ signal: Signal,
        _ process: Process,
        _ information: SignalInformation
    ) {
        if SignalSet.ignoredByDefault.contains(signal) { return }
        if SignalSet.stopping.contains(signal) {
            // Nobody would continue an orphaned group that its terminal stops.
            guard signal == .stop || !process.isGroupOrphaned else { return }
            stop(process, signal)
            return
        }
        let hasCore = SignalSet.dumpingCore.contains(signal) && Core.dump(information)
        Process.exitCurrent(.killed(signal: signal.number, dumpedCore: hasCore))
    }

    /// Decides how an interrupted call goes on. `action` is that of the first handler, `nil` when
    /// none runs. Afterwards the frame is no call's any more.
    private static func decideRestart(
        _ thread: Thread,
        _ frame: UnsafeMutablePointer<trap_frame>,
        _ rule: RestartClass,
        _ action: SignalAction?
    ) {
        let number = frame.pointee.original_rax
        let wasInterrupted = thread.signals.interruptedWait
        thread.signals.interruptedWait = false
        let isForced = thread.signals.restartsAlways
        thread.signals.restartsAlways = false
        frame.pointee.original_rax = noSystemCall
        let failure = UInt64(bitPattern: -Int64(Errno.interrupted.rawValue))
        guard number != noSystemCall, wasInterrupted, frame.pointee.rax == failure else { return }
        // A service that can go on for the time that is left said so, whatever the call's rule.
        let goesOn = thread.restartBlock != nil
        if action != nil { thread.restartBlock = nil }
        switch goesOn ? .remaining : rule {
        case _ where isForced: break
        case .never: return
        case .byAction:
            if let action, !action.flags.contains(.restart) { return }
        case .withoutHandler, .remaining:
            if action != nil { return }
        }
        frame.pointee.rax = goesOn ? RestartBlock.systemCallNumber : number
        // Back to the syscall instruction, two bytes, or to what the rewriter made of it.
        frame.pointee.rip &-= 2
    }

    /// Puts the frame on the program's stack and makes the handler what runs next.
    private static func enterHandler(
        _ thread: Thread,
        _ frame: UnsafeMutablePointer<trap_frame>,
        _ signal: Signal,
        _ action: SignalAction,
        _ information: SignalInformation
    ) {
        let signals = thread.signals
        let mask = signals.maskBefore ?? signals.mask
        guard writeFrame(thread, frame, signal, action, information, mask: mask) else {
            forceSegmentationFault(after: signal)
            return
        }
        signals.maskBefore = nil
        var blocked = signals.mask.union(action.mask)
        if !action.flags.contains(.noDefer) { blocked.insert(SignalSet(signal)) }
        signals.setMask(blocked, of: thread)
    }
}

/// How an interrupted call goes on for the time that is left: restart_syscall(2).
public struct RestartBlock {
    /// The number of restart_syscall(2).
    static let systemCallNumber: UInt64 = 219

    /// Captures nothing, so that it costs no allocation.
    public let resume: (RestartBlock) throws(Errno) -> Int
    public var arguments: InlineArray<4, UInt64>

    public init(
        _ first: UInt64,
        _ second: UInt64 = 0,
        _ third: UInt64 = 0,
        _ fourth: UInt64 = 0,
        resume: @escaping (RestartBlock) throws(Errno) -> Int
    ) {
        self.resume = resume
        arguments = [first, second, third, fourth]
    }
}
