import LinuxABI

/// Sleeping: nanosleep(2) and clock_nanosleep(2).
public enum Sleep {
    /// Sleeps for a length of time. When a signal ends the sleep, the time left is written to
    /// `remaining`, and the call can go on for it: restart_syscall(2).
    public static func sleep(
        for length: Nanoseconds,
        on clock: ClockID,
        remaining: UserPointer<TimeSpecification>
    ) throws(Errno) {
        guard clock != .thread else { throw .invalidArgument }
        let (end, overflow) = try Clock.read(clock).addingReportingOverflow(length)
        try sleep(until: overflow ? .never : end, on: clock, remaining: remaining)
    }

    /// Sleeps until a clock reaches `time`.
    public static func sleep(until time: Nanoseconds, on clock: ClockID) throws(Errno) {
        while try Clock.read(clock) < time {
            let deadline = try Clock.deadline(at: time, on: clock)
            do throws(Errno) {
                try Scheduler.block(until: deadline, isInterruptible: true)
            } catch { if error != .timedOut { throw error } }
        }
    }

    private static func sleep(
        until end: Nanoseconds,
        on clock: ClockID,
        remaining: UserPointer<TimeSpecification>
    ) throws(Errno) {
        do throws(Errno) { try sleep(until: end, on: clock) } catch {
            guard error == .interrupted else { throw error }
            let time = try Clock.read(clock)
            guard time < end else { return }
            if !remaining.isNull {
                try remaining.store(TimeSpecification(nanoseconds: end - time))
            }
            Thread.current.restartBlock = RestartBlock(
                end,
                UInt64(UInt32(bitPattern: clock.rawValue)),
                UInt64(remaining.address)
            ) { (block) throws(Errno) in
                try sleep(
                    until: block.arguments[0],
                    on: ClockID(rawValue: Int32(truncatingIfNeeded: block.arguments[1])),
                    remaining: UserPointer(UInt(block.arguments[2]))
                )
                return 0
            }
            throw .interrupted
        }
    }

    /// Goes on with the call that a signal without a handler interrupted.
    public static func resume() throws(Errno) -> Int {
        let thread = Thread.current
        guard let block = thread.restartBlock else { throw .interrupted }
        thread.restartBlock = nil
        return try block.resume(block)
    }
}
