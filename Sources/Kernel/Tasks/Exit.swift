import LinuxABI
import Platform

/// Is told what becomes of the program's threads: tracing.
public protocol TaskObserver: AnyObject {
    /// The current thread takes a signal now.
    func signalTaken(_ information: SignalInformation)
    /// The current thread ended, or its process when it was the last.
    func ended(_ status: ExitStatus)
    /// No thread can run: the processor is about to wait.
    func waits()
    /// The last process has ended, and given its memory back.
    func instanceEnds()
}

/// The end of threads, processes and the instance.
public enum Tasks {
    /// Called once at the start, before the first thread is created.
    public static func start() {
        CycleClock.start()
        ThreadTable.start()
        ProcessTable.start()
        Futex.start()
        PendingSignals.start()
        statusOfFirst = nil
        adoptBootStack()
    }

    /// Makes the code that runs now a thread, so that it can be switched away from. It is never
    /// chosen again unless it is enqueued.
    private static func adoptBootStack() {
        let size = Thread.vectorAreaSize
        let vectorState = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        vectorState.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        // Its stack is the platform's; the pointer is never used as one.
        let thread = immortal(Thread(kernelStack: vectorState, vectorState: vectorState))
        let process = immortal(Process())
        process.id = Process.kernelID
        process.signals = immortal(ProcessSignals())
        thread.id = Process.kernelID
        thread.process = process
        thread.state = .runnable
        thread.startedRunning = cycle_counter()
        cpu_current().pointee.thread = Unmanaged.passUnretained(thread).toOpaque()
    }

    /// Creates a thread of the kernel's own process that runs `body`.
    @discardableResult
    public static func runInKernel(
        in process: Process,
        _ body: @escaping () -> Void
    ) throws(Errno) -> Thread {
        let thread = try Thread.create(in: process)
        thread.prepareToRun(body)
        Scheduler.enqueue(thread)
        return thread
    }

    /// Gives back what outlives the last process: file systems, names, queues that grew. Ending the
    /// instance gives all back at once; this is for those who look for leaks, for whom what is left
    /// on the heap then, beside what pools keep, is one.
    public static func releaseAll() {
        SystemV.stop()
        NamedQueues.stop()
        VFS.stop()
        SystemName.stop()
        TimerQueue.shared.shrink()
    }

    /// Those who watch the program. Set once at the start.
    nonisolated(unsafe) public static var observer: (any TaskObserver)?

    /// How the program ended that the instance was made for.
    nonisolated(unsafe) static var statusOfFirst: ExitStatus?

    /// Called when the last process has ended, before the instance does. Set once at the start.
    nonisolated(unsafe) public static var willEnd: (() -> Void)?

    /// Called when the last process has ended. Hosted tests put their own here.
    nonisolated(unsafe) static var endOfLast: @convention(thin) (ExitStatus) -> Void = { status in
        Tasks.willEnd?()
        Tasks.observer?.instanceEnds()
        endInstance(status.shellStatus)
    }
}

extension Thread {
    /// Ends the current thread with a status, as exit(2).
    public static func exitCurrent(_ code: UInt8) -> Never {
        let thread = Thread.current
        let process = thread.process!
        if thread.id == process.id { process.leaderStatus = .exited(code) }
        if process.threadCount == 1, process.leaderStatus == nil {
            process.leaderStatus = .exited(code)
        }
        endCurrent()
    }

    /// Ends the current thread: tells those who wait for it, and gives the processor away.
    static func endCurrent() -> Never {
        let thread = Thread.current
        let process = thread.process!
        thread.cancelDeferred()
        RobustList.release(thread)
        Futex.ownerEnded(thread)
        clearThreadID(of: thread)
        process.processorTimeOfEnded &+= thread.currentProcessorTime
        process.voluntarySwitchesOfEnded &+= thread.voluntarySwitches
        process.involuntarySwitchesOfEnded &+= thread.involuntarySwitches
        process.remove(thread)
        thread.signals.discardPending()
        if process.threadCount == 0 {
            if let status = process.exitStatus ?? process.leaderStatus {
                Tasks.observer?.ended(status)
            }
            process.end()
        } else {
            // What was sent to the process and this thread would have taken goes to another.
            process.signals.redistribute(in: process)
            process.threadEnded.wake()
        }
        ThreadTable.put(thread)
        Scheduler.exitCurrent()
    }

    /// CLONE_CHILD_CLEARTID: zeroes the word and wakes who joins the thread.
    private static func clearThreadID(of thread: Thread) {
        guard thread.clearOnExit != 0 else { return }
        let address = thread.clearOnExit
        thread.clearOnExit = 0
        // Nobody is told of a word that is not mapped any more, as on Linux.
        guard (try? UserPointer<Int32>(address).store(0)) != nil else { return }
        _ = try? Futex.wake(address, limit: 1, isShared: true)
        _ = try? Futex.wake(address, limit: 1, isShared: false)
    }
}

extension Process {
    /// Ends the process with the current thread, as exit_group(2).
    public static func exitCurrent(_ status: ExitStatus) -> Never {
        Process.current.beginExit(status)
        Thread.endCurrent()
    }

    /// Lets every thread end on its way out of the kernel. The first status counts.
    public func beginExit(_ status: ExitStatus) {
        guard exitStatus == nil else { return }
        exitStatus = status
        endOtherThreads()
    }

    /// There is no memory for a page that the process may touch: all its threads end on their way
    /// to the program, as by Linux's OOM killer. It may run on an interrupt's stack, so what there
    /// is to say waits until then.
    public func killForMemory() {
        exceededMemory = true
        beginExit(.killed(signal: Signal.kill.number, dumpedCore: false))
        Thread.current.signals.notify(Thread.current)
    }

    /// Makes all threads but the current one end as soon as they can.
    func endOtherThreads() {
        let current = Thread.current
        forEachThread { thread in
            guard thread !== current else { return }
            thread.signals.isEnding = true
            thread.signals.notify(thread)
        }
    }

    /// The last thread has ended: gives everything back. Runs on that thread's stack.
    func end() {
        let status = exitStatus ?? leaderStatus ?? .exited(0)
        exitStatus = status
        if exceededMemory {
            writeToStandardError(
                "unirun: killed: the program used more memory than there is; give more with --memory\n"
            )
            exceededMemory = false
        }
        if id == Process.firstID { Tasks.statusOfFirst = status }
        self.continue(tells: false)
        leaveTerminal()
        giveBack()
        endBorrowing()
        tellGroupIfOrphaned(by: parent)
        giveChildrenAway()
        ProcessTable.livingCount -= 1
        threadEnded.wake()
        tellEnd()
        // The program's own status is the instance's, though children of it may have lived longer.
        guard ProcessTable.livingCount == 0 else { return }
        Tasks.endOfLast(Tasks.statusOfFirst ?? status)
    }

    /// Gives everything back that only a process that runs has.
    func giveBack() {
        timers.stopAll()
        signals.discardPending()
        undoSemaphores()
        endedAs = credentials.realUser
        endedUsing = usage(ofThread: nil)
        descriptors = nil
        paths = nil
        terminal = nil
        addressSpace = nil
        executable = ExecutableImage()
        credentials = Credentials()
    }
}
