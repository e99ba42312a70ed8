import HostCalls
import LaunchRecord
import Platform

/// Clocks and the one timer.
enum ProcessTime {
    /// The host's `__vdso_clock_gettime`; zero when there is none.
    nonisolated(unsafe) static var hostClock: UInt64 = 0

    /// The signal that the timer sends. No terminal sends it, and `unirun` does not forward it.
    static var signal: Int32 { HostSignal.interrupt }

    static func readClock(_ clock: UInt32) -> UInt64 {
        var time: (seconds: Int64, nanoseconds: Int64) = (0, 0)
        withUnsafeMutablePointer(to: &time) { pointer in
            pointer.withMemoryRebound(to: Int64.self, capacity: 2) { words in
                if hostClock != 0 {
                    _ = call_host_clock(hostClock, Int64(clock), words)
                } else {
                    _ = callHost(HostNumber.clock_gettime, UInt64(clock), address(words))
                }
            }
        }
        return UInt64(bitPattern: time.seconds) &* 1_000_000_000
            &+ UInt64(bitPattern: time.nanoseconds)
    }

    /// Makes the timer; before the filter. A negated errno when the host refuses.
    static func start() -> Int64 {
        // struct sigevent: value, signal number, SIGEV_SIGNAL, padding to 64 bytes.
        var event = InlineArray<16, Int32>(repeating: 0)
        event[2] = signal
        var timer: Int32 = 0
        let monotonic: UInt64 = 1
        let answer = callHost(HostNumber.timer_create, monotonic, address(&event), address(&timer))
        return answer < 0 || timer == 0 ? answer : -16
    }

    static func setTimer(_ deadline: UInt64) {
        // struct itimerspec: interval and value; a value of zero stops the timer, so time 0 is 1 ns.
        var setting = InlineArray<4, UInt64>(repeating: 0)
        if deadline != .max {
            setting[2] = deadline / 1_000_000_000
            setting[3] = max(deadline % 1_000_000_000, deadline == 0 ? 1 : 0)
        }
        let absolute: UInt64 = 1
        _ = callHost(HostNumber.timer_settime, 0, absolute, address(&setting), 0)
    }
}
