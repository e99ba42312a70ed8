/// `struct timespec`
public struct TimeSpecification: BitwiseCopyable, Sendable {
    public var seconds: Int64
    public var nanoseconds: Int64

    public init(seconds: Int64 = 0, nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    public init(nanoseconds total: UInt64) {
        seconds = Int64(total / 1_000_000_000)
        nanoseconds = Int64(total % 1_000_000_000)
    }

    /// The length or the point in time, at most the largest that 63 bits hold; `nil` when a field is
    /// out of its range.
    public var total: UInt64? {
        guard seconds >= 0, nanoseconds >= 0, nanoseconds < 1_000_000_000 else { return nil }
        let (product, tooLong) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflow) = product.addingReportingOverflow(nanoseconds)
        return tooLong || overflow ? UInt64(Int64.max) : UInt64(sum)
    }
}

/// `struct timeval`
public struct TimeValue: BitwiseCopyable, Sendable {
    public var seconds: Int64
    public var microseconds: Int64

    public init(seconds: Int64 = 0, microseconds: Int64 = 0) {
        self.seconds = seconds
        self.microseconds = microseconds
    }

    public init(nanoseconds total: UInt64) {
        seconds = Int64(total / 1_000_000_000)
        microseconds = Int64(total % 1_000_000_000) / 1000
    }

    /// In nanoseconds; `nil` when a field is out of its range.
    public var total: UInt64? {
        guard microseconds >= 0, microseconds < 1_000_000 else { return nil }
        return TimeSpecification(seconds: seconds, nanoseconds: microseconds * 1000).total
    }
}

/// `struct itimerspec`
public struct TimerSpecification: BitwiseCopyable, Sendable {
    public var interval: TimeSpecification
    public var value: TimeSpecification

    public init(interval: TimeSpecification = .init(), value: TimeSpecification = .init()) {
        self.interval = interval
        self.value = value
    }
}

/// `struct itimerval`
public struct TimerValue: BitwiseCopyable, Sendable {
    public var interval: TimeValue
    public var value: TimeValue

    public init(interval: TimeValue = .init(), value: TimeValue = .init()) {
        self.interval = interval
        self.value = value
    }
}

/// `clockid_t` of clock_gettime(2).
public struct ClockID: RawRepresentable, Equatable, Sendable {
    public let rawValue: Int32
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// CLOCK_REALTIME
    public static var realtime: ClockID { ClockID(rawValue: 0) }
    /// CLOCK_MONOTONIC
    public static var monotonic: ClockID { ClockID(rawValue: 1) }
    /// CLOCK_PROCESS_CPUTIME_ID
    public static var process: ClockID { ClockID(rawValue: 2) }
    /// CLOCK_THREAD_CPUTIME_ID
    public static var thread: ClockID { ClockID(rawValue: 3) }
    /// CLOCK_MONOTONIC_RAW
    public static var monotonicRaw: ClockID { ClockID(rawValue: 4) }
    /// CLOCK_REALTIME_COARSE
    public static var realtimeCoarse: ClockID { ClockID(rawValue: 5) }
    /// CLOCK_MONOTONIC_COARSE
    public static var monotonicCoarse: ClockID { ClockID(rawValue: 6) }
    /// CLOCK_BOOTTIME
    public static var boot: ClockID { ClockID(rawValue: 7) }
    /// CLOCK_REALTIME_ALARM
    public static var realtimeAlarm: ClockID { ClockID(rawValue: 8) }
    /// CLOCK_BOOTTIME_ALARM
    public static var bootAlarm: ClockID { ClockID(rawValue: 9) }
    /// CLOCK_TAI
    public static var tai: ClockID { ClockID(rawValue: 11) }
}

/// `struct sigevent`, 64 bytes.
public struct SignalEvent: BitwiseCopyable, Sendable {
    public var value: UInt64 = 0
    public var signal: Int32 = 0
    public var notify: Int32 = 0
    public var threadID: Int32 = 0
    private var padding0: Int32 = 0
    private var padding = InlineArray<5, UInt64>(repeating: 0)

    public init() {}

    /// SIGEV_SIGNAL
    public static var signal: Int32 { 0 }
    /// SIGEV_NONE
    public static var none: Int32 { 1 }
    /// SIGEV_THREAD, which the C library makes of the others.
    public static var thread: Int32 { 2 }
    /// SIGEV_THREAD_ID
    public static var threadID: Int32 { 4 }
}
