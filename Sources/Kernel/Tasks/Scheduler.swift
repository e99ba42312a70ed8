import LinuxABI
import Platform

/// Chooses which thread runs.
///
/// One processor runs the kernel, and the kernel is not preempted: a thread gives the processor
/// away by blocking, by yielding, or when the timer finds it in the program.
public enum Scheduler {
    /// How long a thread runs while others wait, as CFS's minimum granularity.
    public static let timeSlice: Nanoseconds = 3 * .millisecond

    nonisolated(unsafe) private static var firstRunnable: Unmanaged<Thread>?
    nonisolated(unsafe) private static var lastRunnable: Unmanaged<Thread>?
    /// In cycles; `.max` while nobody waits.
    nonisolated(unsafe) private static var sliceEnd = UInt64.max

    public static var hasRunnable: Bool { firstRunnable != nil }

    // MARK: Blocking and waking

    /// Blocks the current thread until `wake`, a signal that it may take, or the deadline.
    @_optimize(speed)
    static func block(until deadline: Nanoseconds, isInterruptible: Bool) throws(Errno) {
        let thread = Unmanaged.passUnretained(Thread.current)
        if isInterruptible, thread.lent.signals.needsAttention {
            thread.lent.signals.interruptedWait = true
            throw .interrupted
        }
        thread.lent.isInterruptible = isInterruptible
        thread.lent.wakeReason = .event
        thread.lent.state = .blocked
        thread.lent.voluntarySwitches &+= 1
        if deadline != .never { TimerQueue.shared.start(thread.lent.sleepTimer, at: deadline) }
        // What is deferred is done in the middle of the wait, which goes on unless that ended it.
        var isDeferred = thread.lent.hasDeferredWork
        repeat {
            if isDeferred { thread.lent.runDeferred() }
            switchAway()
            isDeferred = thread.lent.wakeReason == .work
            if isDeferred {
                thread.lent.wakeReason = .event
                thread.lent.state = .blocked
            }
        } while isDeferred
        if deadline != .never { TimerQueue.shared.stop(thread.lent.sleepTimer) }
        switch thread.lent.wakeReason {
        case .event, .work: return
        case .timeout: throw .timedOut
        case .signal:
            thread.lent.signals.interruptedWait = true
            throw .interrupted
        }
    }

    /// Makes a blocked thread runnable; false when it was not blocked.
    @discardableResult @inline(__always)
    static func wake(_ thread: Thread, because reason: WakeReason = .event) -> Bool {
        wake(Unmanaged.passUnretained(thread), because: reason)
    }

    @discardableResult
    @_optimize(speed)
    static func wake(_ thread: Unmanaged<Thread>, because reason: WakeReason = .event) -> Bool {
        guard thread.lent.state == .blocked else {
            // Woken for what is deferred only, it did not run yet: now its wait is over.
            guard thread.lent.wakeReason == .work, thread.lent.state == .runnable, reason != .work
            else { return false }
            thread.lent.wakeReason = reason
            return true
        }
        thread.lent.wakeReason = reason
        enqueue(thread)
        return true
    }

    /// Wakes a thread for a signal when its wait may be interrupted.
    static func interrupt(_ thread: Thread) {
        guard thread.isInterruptible else { return }
        wake(thread, because: .signal)
    }

    /// Puts a thread that is new, woken or continued at the end of the run queue.
    @inline(__always)
    static func enqueue(_ thread: Thread) { enqueue(Unmanaged.passUnretained(thread)) }

    @_optimize(speed)
    private static func enqueue(_ thread: Unmanaged<Thread>) {
        thread.lent.state = .runnable
        thread.lent.nextRunnable = nil
        if let last = lastRunnable {
            last.lent.nextRunnable = thread
        } else {
            firstRunnable = thread
        }
        lastRunnable = thread
        if sliceEnd == .max { startSlice() }
    }

    /// Lets the others run first, as sched_yield(2).
    @_optimize(speed)
    public static func yield() {
        guard firstRunnable != nil else { return }
        enqueue(Thread.current)
        switchAway()
    }

    /// Gives the processor away for good.
    static func exitCurrent() -> Never {
        Thread.current.state = .exited
        switchAway()
        panic("a thread that ended was run again")
    }

    // MARK: The timer

    /// Runs timers that are due and, when the slice is over, lets another thread run.
    /// Called on the current thread's kernel stack with the program's registers saved.
    public static func timerInterrupt() {
        forgetArmed()
        let time = now()
        CycleClock.measure(at: time)
        TimerQueue.shared.runDue(at: time)
        Streams.poll()
        LoadAverage.tick(time)
        // The interrupt may come a little early, as the rate of the counter is only measured.
        if firstRunnable != nil, cycle_counter() >= sliceEnd &- CycleClock.slice / 8 {
            Thread.current.involuntarySwitches &+= 1
            yield()
        }
        armTimer()
    }

    /// Gives the current thread a slice, because another one waits from now on. An interrupt that
    /// comes soon anyway ends it: so waking costs no look at the clock.
    private static func startSlice() {
        let soon = Thread.current.startedRunning &+ 2 &* CycleClock.slice
        guard armed.cycles > soon else {
            sliceEnd = armed.cycles
            return
        }
        sliceEnd = cycle_counter() &+ CycleClock.slice
        armTimer()
    }

    /// Asks for the next interrupt: the slice's end, the next timer, or a look at the streams.
    static func armTimer() {
        var deadline = min(TimerQueue.shared.nextDeadline, Streams.nextPoll)
        if firstRunnable == nil {
            sliceEnd = .max
        } else if sliceEnd < armed.cycles {
            let cycles = cycle_counter()
            let left = sliceEnd > cycles ? sliceEnd &- cycles : 0
            deadline = min(deadline, now() &+ CycleClock.nanoseconds(left))
        }
        guard deadline < armed.deadline else { return }
        armed.deadline = deadline
        let time = now()
        let left = CycleClock.cycles(deadline > time ? deadline &- time : 0)
        armed.cycles = left == .max ? .max : cycle_counter() &+ left
        machine.pointee.set_timer(deadline)
    }

    /// The interrupt that was last asked for, as a time and as cycles. An earlier one than needed
    /// costs an interrupt that finds nothing to do; asking the platform at each change would cost
    /// more.
    nonisolated(unsafe) static var armed = ArmedTimer()

    private static func forgetArmed() {
        armed = ArmedTimer()
    }

    // MARK: Switching

    /// Runs the next thread; returns when the current one is chosen again.
    private static func switchAway() {
        let current = Unmanaged.passUnretained(Thread.current)
        let next = takeNext()
        guard next.toOpaque() != current.toOpaque() else {
            // What was pending for it was taken while it waited.
            if current.lent.isAwaitedOutside { cpu_set_pending(UInt32(CPU_PENDING_SIGNAL)) }
            return
        }
        switchTo(next, from: current)
    }

    /// The next runnable thread; waits for events while there is none.
    private static func takeNext() -> Unmanaged<Thread> {
        while true {
            if let next = firstRunnable {
                firstRunnable = next.lent.nextRunnable
                if firstRunnable == nil { lastRunnable = nil }
                return next
            }
            idle()
        }
    }

    /// Waits for an interrupt and does its work, on the stack of the thread that blocked last.
    private static func idle() {
        // What is pending would end each wait at once.
        let pending = cpu_take_pending()
        if pending & UInt32(CPU_PENDING_TIMER) != 0 { forgetArmed() }
        Signals.takeOutsideSignals()
        if pending & UInt32(CPU_PENDING_FRAMES) != 0 || Network.isBehind { Network.takeFrames() }
        if pending & UInt32(CPU_PENDING_DISKS) != 0 { Disks.takeInterrupts() }
        TimerQueue.shared.runDue(at: now())
        guard firstRunnable == nil, !Network.isBehind else { return }
        Tasks.observer?.waits()
        FrameAllocator.trim()
        // The last thread is still the current one, and does not use the processor meanwhile.
        Thread.current.countCycles(to: cycle_counter())
        Streams.wait(until: TimerQueue.shared.nextDeadline)
        Thread.current.startedRunning = cycle_counter()
        let time = now()
        CycleClock.measure(at: time)
        TimerQueue.shared.runDue(at: time)
    }

    @_optimize(speed)
    private static func switchTo(_ next: Unmanaged<Thread>, from current: Unmanaged<Thread>) {
        let cycles = cycle_counter()
        current.lent.countCycles(to: cycles)
        next.lent.startedRunning = cycles
        sliceEnd = firstRunnable == nil ? .max : cycles &+ CycleClock.slice
        let old = current.lent.saved
        let new = next.lent.saved
        old.pointee.takeVectorState()
        old.pointee.threadPointer = thread_pointer_read()
        let processor = cpu_current()
        processor.pointee.thread = next.toOpaque()
        processor.pointee.kernel_stack = UInt64(UInt(bitPattern: next.lent.kernelStackTop))
        // A signal that came while the thread was away is taken when it goes back.
        if next.lent.isAwaitedOutside { cpu_set_pending(UInt32(CPU_PENDING_SIGNAL)) }
        if next.lent.process !== current.lent.process, let space = inactiveSpace(of: next.lent) {
            leaveTimer(of: current.lent.process?.addressSpace)
            return enter(space, &old.pointee.stackPointer, &new.pointee.stackPointer)
        }
        new.pointee.loadVectorState(over: old.pointee)
        thread_pointer_write(new.pointee.threadPointer)
        if firstRunnable != nil { armTimer() }
        context_switch(&old.pointee.stackPointer, new.pointee.stackPointer)
    }
}
