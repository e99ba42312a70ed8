import LinuxABI
import Platform

/// The clocks of clock_gettime(2).
public enum Clock {
    /// The time of a clock now. Throws `invalidArgument` for a clock that does not exist.
    public static func read(_ clock: ClockID) throws(Errno) -> Nanoseconds {
        switch clock {
        case .realtime, .realtimeCoarse, .realtimeAlarm, .tai: return realtime()
        case .monotonic, .monotonicRaw, .monotonicCoarse, .boot, .bootAlarm: return now()
        case .process: return Process.current.processorTime
        case .thread: return Thread.current.currentProcessorTime
        default: return try processorClock(clock).read()
        }
    }

    @inline(__always)
    public static func realtime() -> Nanoseconds {
        machine.pointee.read_clock(UInt32(PLATFORM_CLOCK_REALTIME.rawValue))
    }

    /// The smallest difference that the clock shows: coarse clocks tell the time as exactly as the
    /// others here.
    public static func resolution(_ clock: ClockID) throws(Errno) -> Nanoseconds {
        _ = try read(clock)
        return 1
    }

    /// The monotonic time at which a clock reaches `time`.
    ///
    /// Throws `notSupported` for clocks that cannot be waited for, `invalidArgument` for unknown
    /// ones. Processor time passes at most as fast as the monotonic clock: who waits for it looks
    /// again at the deadline.
    public static func deadline(at time: Nanoseconds, on clock: ClockID) throws(Errno)
        -> Nanoseconds
    {
        switch clock {
        case .monotonic, .boot, .bootAlarm: return time
        case .realtimeCoarse, .monotonicCoarse, .monotonicRaw, .thread: throw .notSupported
        default:
            let present = try read(clock)
            let left = time > present ? time - present : 0
            let (sum, overflow) = now().addingReportingOverflow(left)
            return overflow ? .never : sum
        }
    }

    /// The monotonic time after a length of time.
    public static func deadline(after length: Nanoseconds) -> Nanoseconds {
        let (sum, overflow) = now().addingReportingOverflow(length)
        return overflow ? .never : sum
    }

    /// Whose processor time a clock's number encodes, as clock_getcpuclockid(3) makes them.
    static func processorClock(_ clock: ClockID) throws(Errno) -> ProcessorClock {
        let number = clock.rawValue
        guard number < 0 else {
            switch clock {
            case .process: return .process(Process.current)
            case .thread: return .thread(Thread.current)
            default: throw .invalidArgument
            }
        }
        // CPUCLOCK_SCHED, PROF and VIRT are one here; 3 would be a descriptor's clock.
        guard number & 3 != 3 else { throw .invalidArgument }
        let id = ~(number >> 3)
        if number & 4 != 0 {
            guard let thread = id == 0 ? Thread.current : ThreadTable.thread(id),
                thread.process === Process.current
            else { throw .invalidArgument }
            return .thread(thread)
        }
        guard let process = id == 0 ? Process.current : ProcessTable.process(id) else {
            throw .invalidArgument
        }
        return .process(process)
    }

    enum ProcessorClock {
        case thread(Thread)
        case process(Process)

        func read() -> Nanoseconds {
            switch self {
            case .thread(let thread): thread.currentProcessorTime
            case .process(let process): process.processorTime
            }
        }
    }
}
