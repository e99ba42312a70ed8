import Platform

/// The load averages over 1, 5 and 15 minutes, as getloadavg(3) tells them.
///
/// Linux counts the runnable threads every five seconds. Here nothing ticks while at most one
/// thread is runnable: what counts then is the share of the time since the last sample for which
/// the processor was busy. While more are runnable the ends of their slices take the samples.
public enum LoadAverage {
    /// A number with 11 binary places, as Linux's FSHIFT.
    public struct Value {
        let bits: UInt64

        public var whole: UInt64 { bits >> 11 }
        public var hundredths: UInt64 { ((bits & (LoadAverage.one - 1)) * 100) >> 11 }
    }

    static let period: Nanoseconds = 5 * .second
    fileprivate static let one: UInt64 = 1 << 11
    /// e to the power of minus five seconds over each time.
    private static let factors: InlineArray<3, UInt64> = [1884, 2014, 2037]

    nonisolated(unsafe) private static var averages = InlineArray<3, UInt64>(repeating: 0)
    nonisolated(unsafe) private static var lastSample: Nanoseconds = 0
    nonisolated(unsafe) private static var lastBusy: Nanoseconds = 0

    /// Counts from now on.
    static func start() {
        averages = InlineArray(repeating: 0)
        lastSample = now()
        lastBusy = 0
    }

    /// The averages now. A period that is not over yet does not count.
    public static func current() -> [Value] {
        tick(now())
        return (0..<3).map { Value(bits: averages[$0] + one / 200) }
    }

    /// Processor time that all processes have used.
    public static func busyTime() -> Nanoseconds {
        var busy: Nanoseconds = 0
        ProcessTable.forEach { busy &+= $0.processorTime }
        return busy
    }

    /// Takes a sample when one is due.
    @inline(__always)
    static func tick(_ time: Nanoseconds) {
        if time &- lastSample >= period { sample(time) }
    }

    @inline(never)
    private static func sample(_ time: Nanoseconds) {
        let elapsed = time &- lastSample
        let busy = busyTime()
        let used = min(busy &- min(lastBusy, busy), elapsed)
        let load = (used >> 10) * one / max(elapsed >> 10, 1) + waitingThreads() * one
        for index in 0..<3 {
            let kept = power(factors[index], elapsed / period)
            averages[index] = (averages[index] * kept + load * (one - kept) + one / 2) / one
        }
        lastBusy = busy
        // Periods begin where the one before ended, not when it was looked at.
        lastSample = time &- elapsed % period
    }

    /// Threads that are runnable beside the one that runs.
    private static func waitingThreads() -> UInt64 {
        var count: UInt64 = 0
        ProcessTable.forEach { process in
            process.forEachThread { thread in
                if thread.state == .runnable, thread !== Thread.current { count += 1 }
            }
        }
        return count
    }

    private static func power(_ base: UInt64, _ exponent: UInt64) -> UInt64 {
        var result = one
        var base = base
        var rest = exponent
        while rest > 0, result > 0 {
            if rest & 1 != 0 { result = (result * base + one / 2) >> 11 }
            base = (base * base + one / 2) >> 11
            rest >>= 1
        }
        return result
    }
}
