import LinuxABI
import Platform

/// Chooses which thread runs.
///
/// One processor runs the kernel, and the kernel is not preempted: a thread gives the processor
/// away by blocking, by yielding, or when the timer finds it in the program.
public enum Scheduler {
    /// How long a thread runs while others wait, as CFS's minimum granularity.
    public static let timeSlice: Nanoseconds = 3 * .millisecond

    unowned(unsafe) nonisolated(unsafe) private static var firstRunnable: Thread?
    unowned(unsafe) nonisolated(unsafe) private static var lastRunnable: Thread?
    nonisolated(unsafe) private static var sliceEnd: Nanoseconds = .never

    public static var hasRunnable: Bool { firstRunnable != nil }

    // MARK: Blocking and waking

    /// Blocks the current thread until `wake`, a signal that it may take, or the deadline.
    static func block(until deadline: Nanoseconds, isInterruptible: Bool) throws(Errno) {
        let thread = Thread.current
        if isInterruptible, thread.signals.hasDeliverable(thread) {
            thread.signals.interruptedWait = true
            throw .interrupted
        }
        thread.isInterruptible = isInterruptible
        thread.wakeReason = .event
        thread.state = .blocked
        thread.voluntarySwitches &+= 1
        if deadline != .never { TimerQueue.shared.start(thread.sleepTimer, at: deadline) }
        switchAway()
        if deadline != .never { TimerQueue.shared.stop(thread.sleepTimer) }
        switch thread.wakeReason {
        case .event: return
        case .timeout: throw .timedOut
        case .signal:
            thread.signals.interruptedWait = true
            throw .interrupted
        }
    }

    /// Makes a blocked thread runnable; false when it was not blocked.
    @discardableResult
    static func wake(_ thread: Thread, because reason: WakeReason = .event) -> Bool {
        guard thread.state == .blocked else { return false }
        thread.wakeReason = reason
        enqueue(thread)
        return true
    }

    /// Wakes a thread for a signal when its wait may be interrupted.
    static func interrupt(_ thread: Thread) {
        guard thread.isInterruptible else { return }
        wake(thread, because: .signal)
    }

    /// Puts a thread that is new, woken or continued at the end of the run queue.
    static func enqueue(_ thread: Thread) {
        thread.state = .runnable
        thread.nextRunnable = nil
        if let lastRunnable { lastRunnable.nextRunnable = thread } else { firstRunnable = thread }
        lastRunnable = thread
        if sliceEnd == .never { startSlice() }
    }

    /// Lets the others run first, as sched_yield(2).
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
        armedDeadline = .never
        let time = now()
        TimerQueue.shared.runDue(at: time)
        Streams.poll()
        LoadAverage.tick(time)
        if firstRunnable != nil, time >= sliceEnd {
            Thread.current.involuntarySwitches &+= 1
            yield()
        }
        armTimer()
    }

    /// Gives the current thread a slice, because another one waits from now on. An interrupt that
    /// comes soon anyway ends it: so waking costs no look at the clock.
    private static func startSlice() {
        let soon = Thread.current.startedRunning &+ 2 &* timeSlice
        guard armedDeadline > soon else {
            sliceEnd = armedDeadline
            return
        }
        sliceEnd = now() &+ timeSlice
        armTimer()
    }

    /// Asks for the next interrupt: the slice's end, the next timer, or a look at the streams.
    static func armTimer() {
        var deadline = TimerQueue.shared.nextDeadline
        if firstRunnable != nil { deadline = min(deadline, sliceEnd) } else { sliceEnd = .never }
        deadline = min(deadline, Streams.nextPoll)
        guard deadline < armedDeadline else { return }
        armedDeadline = deadline
        machine.pointee.set_timer(deadline)
    }

    /// The interrupt that was last asked for. An earlier one than needed costs an interrupt that
    /// finds nothing to do; asking the platform at each change would cost more.
    nonisolated(unsafe) private static var armedDeadline: Nanoseconds = .never

    // MARK: Switching

    /// Runs the next thread; returns when the current one is chosen again.
    private static func switchAway() {
        let current = Thread.current
        let next = takeNext()
        guard next !== current else {
            next.state = .runnable
            // What was pending for it was taken while it waited.
            if next.signals.hasDeliverable(next) { cpu_set_pending(UInt32(CPU_PENDING_SIGNAL)) }
            return
        }
        switchTo(next, from: current)
    }

    /// The next runnable thread; waits for events while there is none.
    private static func takeNext() -> Thread {
        while true {
            if let thread = firstRunnable {
                firstRunnable = thread.nextRunnable
                if firstRunnable == nil { lastRunnable = nil }
                thread.nextRunnable = nil
                return thread
            }
            idle()
        }
    }

    /// Waits for an interrupt and does its work, on the stack of the thread that blocked last.
    private static func idle() {
        // What is pending would end each wait at once.
        if cpu_take_pending() & UInt32(CPU_PENDING_TIMER) != 0 { armedDeadline = .never }
        Signals.takeOutsideSignals()
        TimerQueue.shared.runDue(at: now())
        guard firstRunnable == nil else { return }
        Tasks.observer?.waits()
        FrameAllocator.trim()
        // The last thread is still the current one, and does not use the processor meanwhile.
        let current = Thread.current
        current.processorTime &+= now() &- current.startedRunning
        Streams.wait(until: TimerQueue.shared.nextDeadline)
        let time = now()
        current.startedRunning = time
        TimerQueue.shared.runDue(at: time)
    }

    private static func switchTo(_ next: Thread, from current: Thread) {
        let time = now()
        current.processorTime &+= time &- current.startedRunning
        next.startedRunning = time
        sliceEnd = firstRunnable == nil ? .never : time &+ timeSlice
        // Registers that are initial in both threads are left alone.
        let features = boot.pointee.tells_vector_use != 0 ? vector_state_in_use() : .max
        current.vectorFeatures = features
        vector_state_save(current.vectorState, features)
        current.savedThreadPointer = thread_pointer_read()
        let processor = cpu_current()
        processor.pointee.thread = Unmanaged.passUnretained(next).toOpaque()
        processor.pointee.kernel_stack = UInt64(UInt(bitPattern: next.kernelStackTop))
        // A signal that came while the thread was away is taken when it goes back.
        if next.signals.hasDeliverable(next) { cpu_set_pending(UInt32(CPU_PENDING_SIGNAL)) }
        vector_state_restore(next.vectorState, features | next.vectorFeatures)
        thread_pointer_write(next.savedThreadPointer)
        if firstRunnable != nil { armTimer() }
        context_switch(&current.savedStackPointer, next.savedStackPointer)
    }
}
