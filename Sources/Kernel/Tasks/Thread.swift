import LinuxABI
import Platform

/// A thread of the program: a kernel stack, the registers saved on it, and what it waits for.
///
/// Threads come from a pool and go back to it (`Thread+Pool.swift`): an object is never freed, so
/// the unowned references that the hot paths use stay valid, and costs no reference count.
public final class Thread {
    public enum State: UInt8 {
        case unused
        case runnable
        case blocked
        /// Stopped by a signal; only SIGCONT and SIGKILL make it runnable.
        case stopped
        case exited
    }

    #if hasFeature(Embedded)
        public static let kernelStackSize = 32 << 10
    #else
        /// Unoptimised code and the host's test library need more.
        public static let kernelStackSize = 256 << 10
    #endif

    /// As gettid(2).
    public internal(set) var id: Int32 = 0
    @Lent public internal(set) var process: Process!
    public internal(set) var state = State.unused
    /// Up to 15 bytes and a NUL, as prctl(PR_SET_NAME).
    public var name = ThreadName()

    // MARK: Context

    /// Base of the kernel stack; its top is `kernelStackSize` above.
    let kernelStack: UnsafeMutableRawPointer
    /// Registers while another thread runs.
    let saved: UnsafeMutablePointer<SavedRegisters>
    var vectorState: UnsafeMutableRawPointer { saved.pointee.vectorState }
    /// What the thread runs first, when it is the kernel's own.
    var kernelBody: (() -> Void)?

    // MARK: Scheduling

    /// The next thread in the run queue.
    var nextRunnable: Unmanaged<Thread>?
    /// Other threads of the process, in the order of their creation.
    @Lent var nextInProcess: Thread?
    @Lent var nextFree: Thread?
    /// The next thread in the same bucket of the table.
    @Lent var nextInTable: Thread?
    @Lent private(set) var waitEntry: ThreadWaitEntry!
    private(set) lazy var sleepTimer: Timer = SleepTimer(self)
    /// Whether a signal may end the wait under way.
    var isInterruptible = false
    /// What is left to do for requests of io_uring(7), and whether some of it is ready.
    public var deferredWork: DeferredWork?
    public internal(set) var hasDeferredWork = false
    /// Whether there is something to do on the way to the program.
    var isAwaitedOutside: Bool {
        @inline(__always) get { signals.needsAttention || hasDeferredWork }
    }
    /// Why `Scheduler.block` returned.
    var wakeReason = WakeReason.event
    /// The cycle counter when the thread was last put on the processor.
    var startedRunning: UInt64 = 0
    /// Time on the processor before `startedRunning`, and cycles that it does not count yet.
    var processorTime: Nanoseconds = 0
    var uncountedCycles: UInt64 = 0
    public internal(set) var voluntarySwitches = 0
    public internal(set) var involuntarySwitches = 0

    // MARK: Signals

    public let signals = ThreadSignals()

    // MARK: Exit

    /// CLONE_CHILD_SETTID: where the thread's number is to be stored before it runs.
    var storesID: UInt = 0
    /// set_tid_address(2): zeroed and woken when the thread ends.
    public var clearOnExit: UInt = 0
    /// set_robust_list(2).
    public var robustList: UInt = 0

    /// rseq(2)
    public var restartableSequence = RestartableSequence()

    // MARK: Waiting

    /// The thread's place in a futex's queue.
    let futexWaiter: UnsafeMutablePointer<FutexWaiter>
    /// How to go on with an interrupted call for the time that is left: restart_syscall(2).
    public var restartBlock: RestartBlock?
    /// prctl(PR_SET_TIMERSLACK), in nanoseconds.
    public var timerSlack: UInt64 = Thread.defaultTimerSlack

    public static let defaultTimerSlack: UInt64 = 50_000

    init(kernelStack: UnsafeMutableRawPointer, vectorState: UnsafeMutableRawPointer) {
        self.kernelStack = kernelStack
        saved = .allocate(capacity: 1)
        saved.initialize(to: SavedRegisters(vectorState: vectorState))
        futexWaiter = .allocate(capacity: 1)
        futexWaiter.initialize(to: FutexWaiter())
        waitEntry = immortal(ThreadWaitEntry(self))
    }

    /// The thread that runs.
    public static var current: Thread {
        @inline(__always) _read {
            // No function of C: the compiler inlines none into a handler's entry from C.
            yield Unmanaged<Thread>.fromOpaque(boot_cpu.thread.unsafelyUnwrapped).lent
        }
    }

    var kernelStackTop: UnsafeMutableRawPointer { kernelStack + Thread.kernelStackSize }

    /// The program's registers, at the top of the kernel stack whenever a thread that left user
    /// mode is looked at by another, and inside handlers that ask for the whole frame.
    public var frame: UnsafeMutablePointer<trap_frame> {
        (kernelStackTop - MemoryLayout<trap_frame>.size).assumingMemoryBound(to: trap_frame.self)
    }
}

enum WakeReason: UInt8 {
    case event
    case timeout
    case signal
    /// There is something to do for requests of io_uring(7); the wait goes on.
    case work
}

/// A thread's name, `TASK_COMM_LEN` bytes, NUL-terminated.
public struct ThreadName {
    public static let capacity = 16
    public var bytes = InlineArray<16, UInt8>(repeating: 0)

    public init() {}

    /// Takes the beginning of `text`, as prctl(PR_SET_NAME) does.
    public init(_ text: UnsafeRawBufferPointer) {
        for index in 0..<min(text.count, ThreadName.capacity - 1) {
            guard text[index] != 0 else { return }
            bytes[index] = text[index]
        }
    }

    public var count: Int {
        var length = 0
        while length < ThreadName.capacity, bytes[length] != 0 { length += 1 }
        return length
    }
}

/// Ends a thread's wait.
private final class SleepTimer: Timer {
    unowned(unsafe) let thread: Thread

    init(_ thread: Thread) { self.thread = thread }

    override func expired(at time: Nanoseconds) { Scheduler.wake(thread, because: .timeout) }
}
