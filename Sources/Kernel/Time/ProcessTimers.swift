import LinuxABI

/// The timers of a process: setitimer(2) and timer_create(2).
public final class ProcessTimers {
    /// As many timers as a process may have at most, whatever its limit for signals.
    private static let capacity = 16_384

    private var intervals: [IntervalTimer] = []
    private var posix: [PosixTimer?] = []

    init() {}

    /// Stops and forgets all timers, as a process does that ends.
    func stopAll() {
        for timer in intervals { timer.disarm() }
        intervals = []
        deletePosixTimers()
    }

    /// Forgets the timers that execve(2) does not keep.
    func deletePosixTimers() {
        for timer in posix { timer?.disarm() }
        posix = []
    }

    // MARK: Interval timers

    private func interval(_ kind: IntervalTimer.Kind, of process: Process) -> IntervalTimer {
        if intervals.isEmpty {
            intervals = IntervalTimer.Kind.allCases.map { IntervalTimer($0, process) }
        }
        return intervals[kind.rawValue]
    }

    /// What getitimer(2) tells: the time left and the interval.
    public func interval(_ kind: IntervalTimer.Kind, in process: Process)
        -> (value: Nanoseconds, interval: Nanoseconds)
    {
        guard !intervals.isEmpty else { return (0, 0) }
        let timer = intervals[kind.rawValue]
        return (timer.timeLeft, timer.interval)
    }

    /// Arms a timer `value` from now, or takes it back when that is zero.
    public func setInterval(
        _ kind: IntervalTimer.Kind,
        value: Nanoseconds,
        interval: Nanoseconds,
        in process: Process
    ) {
        if value == 0, intervals.isEmpty { return }
        let timer = self.interval(kind, of: process)
        timer.disarm()
        timer.interval = interval
        if value != 0 { timer.arm(after: value) }
    }

    // MARK: POSIX timers

    /// Creates a timer that tells of its expiry as `notification` says, and returns its number.
    ///
    /// Throws `invalidArgument` for an unknown clock, `wouldBlock` when there are too many timers.
    public func create(_ clock: ClockID, _ notification: TimerNotification, in process: Process)
        throws(Errno) -> Int32
    {
        _ = try Clock.deadline(at: 0, on: clock == .thread ? .process : clock)
        var notification = notification
        let allowed = min(
            process.limits[.pendingSignals].current,
            UInt64(ProcessTimers.capacity)
        )
        var index = 0
        while index < posix.count, posix[index] != nil { index += 1 }
        guard UInt64(index) < allowed else { throw .wouldBlock }
        if notification.valueIsTimer { notification.value = UInt64(index) }
        let timer = PosixTimer(Int32(index), clock, notification, process)
        if index == posix.count { posix.append(timer) } else { posix[index] = timer }
        return timer.id
    }

    public func delete(_ id: Int32) throws(Errno) {
        try timer(id).disarm()
        posix[Int(id)] = nil
    }

    /// Throws `invalidArgument` when there is no such timer.
    func timer(_ id: Int32) throws(Errno) -> PosixTimer {
        guard id >= 0, Int(id) < posix.count, let timer = posix[Int(id)] else {
            throw .invalidArgument
        }
        return timer
    }

    /// The time left and the interval, as timer_gettime(2).
    public func get(_ id: Int32) throws(Errno) -> (value: Nanoseconds, interval: Nanoseconds) {
        let timer = try timer(id)
        return (try timer.timeLeft(), timer.interval)
    }

    /// Arms a timer, or takes it back when `value` is zero; returns what it was before.
    public func set(
        _ id: Int32,
        value: Nanoseconds,
        interval: Nanoseconds,
        isAbsolute: Bool
    ) throws(Errno) -> (value: Nanoseconds, interval: Nanoseconds) {
        let timer = try timer(id)
        let before = (value: try timer.timeLeft(), interval: timer.interval)
        timer.disarm()
        timer.interval = interval
        if value != 0 { try timer.arm(value, isAbsolute: isAbsolute) }
        return before
    }

    /// As timer_getoverrun(2).
    public func overrun(_ id: Int32) throws(Errno) -> Int32 { try timer(id).lastOverrun }

    /// A timer's signal is taken: it goes on, and the signal tells how often it expired meanwhile.
    func signalTaken(_ information: SignalInformation) -> SignalInformation {
        let id = Int32(truncatingIfNeeded: information.words[0])
        guard let timer = try? timer(id) else { return information }
        timer.goOn()
        var information = information
        let overrun = UInt64(UInt32(bitPattern: timer.lastOverrun))
        information.words[0] = UInt64(UInt32(bitPattern: id)) | overrun << 32
        return information
    }

    /// Pending signals were thrown away: their timers go on.
    func signalDiscarded(_ signal: Signal) {
        for timer in posix {
            guard let timer, timer.isQueued, timer.notification.signal == signal else { continue }
            timer.goOn()
        }
    }
}

/// How a timer of timer_create(2) tells of its expiry: `struct sigevent`.
public struct TimerNotification {
    /// `nil` for SIGEV_NONE.
    public var signal: Signal?
    public var value: UInt64
    /// SIGEV_THREAD_ID's thread; zero for the process.
    public var thread: Int32
    /// There was no `sigevent`: the value is the timer's number.
    public var valueIsTimer: Bool

    public init(signal: Signal?, value: UInt64, thread: Int32 = 0, valueIsTimer: Bool = false) {
        self.signal = signal
        self.value = value
        self.thread = thread
        self.valueIsTimer = valueIsTimer
    }
}

/// One of the three timers of setitimer(2).
///
/// The processor time of a process is not divided into that of the program and that of the
/// kernel, so that ITIMER_VIRTUAL counts both, as ITIMER_PROF does.
public final class IntervalTimer: Timer {
    public enum Kind: Int, CaseIterable {
        case real, virtual, profiling

        var signal: Signal {
            switch self {
            case .real: .alarm
            case .virtual: .virtualAlarm
            case .profiling: .profiling
            }
        }
    }

    private let kind: Kind
    unowned(unsafe) private let process: Process
    var interval: Nanoseconds = 0
    /// On the timer's own clock; zero when it is not armed.
    private var expiry: Nanoseconds = 0

    init(_ kind: Kind, _ process: Process) {
        self.kind = kind
        self.process = process
    }

    private var clock: Nanoseconds { kind == .real ? now() : process.processorTime }

    /// Never zero while the timer is armed.
    var timeLeft: Nanoseconds {
        guard expiry != 0 else { return 0 }
        let time = clock
        return expiry > time ? expiry - time : 1
    }

    func arm(after value: Nanoseconds) {
        expiry = clock.addingReportingOverflow(value).overflow ? .never : clock &+ value
        wait()
    }

    func disarm() {
        expiry = 0
        TimerQueue.shared.stop(self)
    }

    /// Processor time passes at most as fast as the clock: it is looked at again when it may be over.
    private func wait() {
        TimerQueue.shared.start(self, at: Clock.deadline(after: max(timeLeft, 1)))
    }

    public override func expired(at time: Nanoseconds) {
        let present = clock
        guard present >= expiry else {
            wait()
            return
        }
        Signals.send(kind.signal, to: process)
        guard interval != 0 else {
            expiry = 0
            return
        }
        let missed = (present &- expiry) / interval
        expiry = expiry &+ (missed &+ 1) &* interval
        wait()
    }
}

/// One timer of timer_create(2).
final class PosixTimer: Timer {
    let id: Int32
    let clock: ClockID
    let notification: TimerNotification
    unowned(unsafe) private let process: Process
    var interval: Nanoseconds = 0
    /// On the timer's clock; zero when it is not armed.
    private var expiry: Nanoseconds = 0
    private(set) var isQueued = false
    private(set) var lastOverrun: Int32 = 0
    /// Expiries whose signal could not be queued.
    private var lost: UInt64 = 0

    init(
        _ id: Int32,
        _ clock: ClockID,
        _ notification: TimerNotification,
        _ process: Process
    ) {
        self.id = id
        self.clock = clock
        self.notification = notification
        self.process = process
    }

    /// A thread's clock is waited for through its process's, which is never slower.
    private func present() throws(Errno) -> Nanoseconds { try Clock.read(clock) }

    func timeLeft() throws(Errno) -> Nanoseconds {
        guard expiry != 0 else { return 0 }
        let time = try present()
        if expiry > time { return expiry - time }
        guard interval != 0 else { return notification.signal == nil ? 0 : 1 }
        return interval - (time - expiry) % interval
    }

    func arm(_ value: Nanoseconds, isAbsolute: Bool) throws(Errno) {
        let (sum, overflow) =
            isAbsolute ? (value, false) : try present().addingReportingOverflow(value)
        expiry = overflow ? .never : sum
        lost = 0
        try wait()
    }

    func disarm() {
        expiry = 0
        isQueued = false
        TimerQueue.shared.stop(self)
    }

    private func wait() throws(Errno) {
        // A timer that tells nobody is only looked at.
        guard notification.signal != nil else { return }
        let time = try present()
        let left = expiry > time ? expiry - time : 0
        TimerQueue.shared.start(self, at: Clock.deadline(after: left))
    }

    override func expired(at time: Nanoseconds) {
        guard let present = try? present(), let signal = notification.signal else { return }
        guard present >= expiry else {
            try? wait()
            return
        }
        let information = SignalInformation(
            signal,
            timer: id,
            overrun: 0,
            value: notification.value
        )
        isQueued = send(signal, information)
        if isQueued { return }
        // It is ignored, or pending already: this expiry is counted with the next signal.
        lost &+= 1
        if interval == 0 { expiry = 0 } else { goOn(countingLost: false) }
    }

    private func send(_ signal: Signal, _ information: SignalInformation) -> Bool {
        guard notification.thread != 0 else {
            return (try? Signals.send(signal, information, to: process)) ?? false
        }
        guard let thread = ThreadTable.thread(notification.thread), thread.process === process
        else { return false }
        return (try? Signals.send(signal, information, to: thread)) ?? false
    }

    /// The signal is taken: starts the next interval, and tells how many were missed.
    func goOn() { goOn(countingLost: true) }

    private func goOn(countingLost: Bool) {
        guard isQueued || !countingLost else { return }
        isQueued = false
        guard expiry != 0, interval != 0, let present = try? present() else {
            expiry = 0
            lastOverrun = Int32(clamping: lost)
            lost = 0
            return
        }
        let missed = present > expiry ? (present - expiry) / interval : 0
        expiry = expiry &+ (missed &+ 1) &* interval
        if countingLost {
            lastOverrun = Int32(clamping: missed &+ lost)
            lost = 0
        } else {
            lost &+= missed
        }
        try? wait()
    }
}
