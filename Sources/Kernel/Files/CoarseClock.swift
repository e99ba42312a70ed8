import LinuxABI
import Platform

/// The time that files are stamped with: at most about a millisecond old, as Linux's is a tick
/// old, so that a one-byte write does not pay for reading a clock.
enum CoarseClock {
    /// Less than a millisecond on any processor that runs below 4 GHz.
    private static let cycles: UInt64 = 2_000_000
    nonisolated(unsafe) private static var lastCycles: UInt64 = 0
    nonisolated(unsafe) private static var time = FileTime()

    @inline(__always)
    static func now() -> FileTime {
        let counter = cycle_counter()
        if counter &- lastCycles >= cycles { refresh(counter) }
        return time
    }

    @inline(never)
    private static func refresh(_ counter: UInt64) {
        let clock = machine.pointee.read_clock(UInt32(PLATFORM_CLOCK_REALTIME.rawValue))
        time = FileTime(
            seconds: Int64(clock / .second),
            nanoseconds: Int64(clock % .second)
        )
        lastCycles = counter
    }
}
