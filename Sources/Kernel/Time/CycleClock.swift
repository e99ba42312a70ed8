import Platform

/// Lengths of time in processor cycles: a look at a clock costs as much as half a switch between
/// threads, the counter a fraction of it.
enum CycleClock {
    /// Nanoseconds of 2^32 cycles.
    nonisolated(unsafe) private static var rate: UInt64 = 1 << 32
    /// When measuring began, and for how many cycles the rate was measured.
    nonisolated(unsafe) private static var firstCycles: UInt64 = 0
    nonisolated(unsafe) private static var firstTime: Nanoseconds = 0
    nonisolated(unsafe) private static var measuredCycles: UInt64 = 0
    /// Cycles of `Scheduler.timeSlice`.
    nonisolated(unsafe) private(set) static var slice: UInt64 = 0

    /// Called once at the start.
    static func start() {
        firstCycles = cycle_counter()
        firstTime = now()
        measuredCycles = 0
        setRate(1 << 32)
    }

    static var isMeasured: Bool {
        @inline(__always) get { measuredCycles != 0 }
    }

    @inline(__always)
    static func nanoseconds(_ cycles: UInt64) -> Nanoseconds {
        let (high, low) = cycles.multipliedFullWidth(by: rate)
        return high << 32 | low >> 32
    }

    /// The cycles of a length of time; `.max` when it is longer than four seconds.
    static func cycles(_ length: Nanoseconds) -> UInt64 {
        length >> 32 == 0 ? (length << 32) / rate : .max
    }

    /// Measures the rate once more when there is twice as much to measure it by.
    static func measure(at time: Nanoseconds) {
        var cycles = cycle_counter() &- firstCycles
        guard cycles >> 1 > measuredCycles, time > firstTime else { return }
        measuredCycles = cycles
        var length = time - firstTime
        while length >> 32 != 0 {
            length >>= 1
            cycles >>= 1
        }
        setRate(max((length << 32) / cycles, 1))
    }

    private static func setRate(_ value: UInt64) {
        rate = value
        slice = cycles(Scheduler.timeSlice)
    }
}

extension Thread {
    /// Counts the cycles since the thread was put on the processor.
    @inline(__always)
    func countCycles(to cycles: UInt64) {
        uncountedCycles &+= cycles &- startedRunning
        startedRunning = cycles
    }

    /// Time spent on the processor up to now. What was told once stays as it is when the rate of the
    /// counter is measured anew: no one's time runs backwards.
    public var currentProcessorTime: Nanoseconds {
        if self === Thread.current { countCycles(to: cycle_counter()) }
        if !CycleClock.isMeasured { CycleClock.measure(at: now()) }
        processorTime &+= CycleClock.nanoseconds(uncountedCycles)
        uncountedCycles = 0
        return processorTime
    }
}
