import LinuxABI

/// A counter that threads wait for: eventfd(2).
final class EventFile: AnonymousFile {
    private var counter: UInt64
    private let isSemaphore: Bool
    private let queue = WaitQueue()
    private static let largest = UInt64.max - 1

    init(_ counter: UInt64, isSemaphore: Bool, _ flags: OpenFlags) {
        self.counter = counter
        self.isSemaphore = isSemaphore
        super.init(flags: flags.union(.readWrite))
    }

    override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(queue) }

    override func readiness() -> PollEvents {
        var events: PollEvents = []
        if counter > 0 { events.insert(.readable) }
        if counter < EventFile.largest { events.insert(.writable) }
        return events
    }

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        guard transfer.remaining >= 8 else { throw .invalidArgument }
        guard counter > 0 else { throw .wouldBlock }
        var value = isSemaphore ? 1 : counter
        guard try transfer.give(&value, 8) == 8 else { throw .badAddress }
        counter -= value
        queue.wake(.allWritable)
        return 8
    }

    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        guard transfer.remaining >= 8 else { throw .invalidArgument }
        var probe = transfer
        var value: UInt64 = 0
        guard try probe.take(&value, 8) == 8 else { throw .badAddress }
        guard value != .max else { throw .invalidArgument }
        guard value <= EventFile.largest - counter else { throw .wouldBlock }
        transfer = probe
        counter += value
        if value > 0 { queue.wake(.allReadable) }
        return 8
    }

    /// As a write of one by the kernel, which stops at the largest number.
    func signal() {
        counter = min(counter + 1, EventFile.largest)
        queue.wake(.allReadable)
    }

    override func describe(into text: inout TextBuffer) { text.append("anon_inode:[eventfd]") }
}

/// A timer that is read: timerfd_create(2).
public final class TimerFile: AnonymousFile {
    private let queue = WaitQueue()
    private var timer: ExpiringTimer! = nil
    /// Expirations since the last read.
    private var expirations: UInt64 = 0
    private var interval: Nanoseconds = 0
    private let isRealTime: Bool

    public init(isRealTime: Bool, _ flags: OpenFlags) {
        self.isRealTime = isRealTime
        super.init(flags: flags.intersection(.nonBlocking).union(.readWrite))
        timer = ExpiringTimer(self)
    }

    deinit { TimerQueue.shared.stop(timer) }

    public override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(queue) }

    public override func readiness() -> PollEvents { expirations > 0 ? .readable : [] }

    public override func read(_ transfer: inout Transfer, at position: inout Int)
        throws(Errno) -> Int
    {
        guard transfer.remaining >= 8 else { throw .invalidArgument }
        guard expirations > 0 else { throw .wouldBlock }
        guard try transfer.give(&expirations, 8) == 8 else { throw .badAddress }
        expirations = 0
        return 8
    }

    public override func describe(into text: inout TextBuffer) {
        text.append("anon_inode:[timerfd]")
    }

    /// Time to the next expiration, zero when the timer is not running, and between two.
    public var setting: (remaining: Nanoseconds, interval: Nanoseconds) {
        guard timer.isRunning else { return (0, interval) }
        let time = now()
        return (timer.deadline > time ? timer.deadline - time : 1, interval)
    }

    /// As timerfd_settime(2): `value` is a length of time, or a point of the timer's clock; zero
    /// stops it.
    public func set(_ value: Nanoseconds, interval: Nanoseconds, isAbsolute: Bool) {
        TimerQueue.shared.stop(timer)
        expirations = 0
        self.interval = interval
        guard value != 0 else { return }
        let time = now()
        var deadline = value
        if !isAbsolute {
            deadline = time.addingReportingOverflow(value).overflow ? .never - 1 : time + value
        } else if isRealTime {
            let real = Clock.realtime()
            deadline = value > real ? time + min(value - real, .never - 1 - time) : time
        }
        TimerQueue.shared.start(timer, at: deadline)
    }

    fileprivate func expired(at time: Nanoseconds, deadline: Nanoseconds) {
        expirations &+= 1
        if interval > 0 {
            let missed = (time - deadline) / interval
            expirations &+= missed
            TimerQueue.shared.start(timer, at: deadline &+ (missed + 1) &* interval)
        }
        queue.wake(.allReadable)
    }
}

private final class ExpiringTimer: Timer {
    unowned(unsafe) let file: TimerFile

    init(_ file: TimerFile) { self.file = file }

    override func expired(at time: Nanoseconds) { file.expired(at: time, deadline: deadline) }
}

extension DescriptorTable {
    /// As eventfd2(2).
    public func makeEvent(_ value: UInt32, isSemaphore: Bool, _ flags: OpenFlags)
        throws(Errno) -> FileDescriptor
    {
        guard flags.isSubset(of: [.nonBlocking, .closeOnExec]) else { throw .invalidArgument }
        let file = EventFile(UInt64(value), isSemaphore: isSemaphore, flags)
        return try insert(file, closesOnExec: flags.contains(.closeOnExec))
    }
}
