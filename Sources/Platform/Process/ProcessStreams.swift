import HostCalls
import Platform

/// Streams are the host's descriptors of the same numbers.
enum ProcessStreams {
    static func read(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        callHost(HostNumber.readv, UInt64(stream), address(segments), count)
    }

    static func write(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        callHost(HostNumber.writev, UInt64(stream), address(segments), count)
    }

    /// ppoll(2) on `struct pollfd`, which is `struct platform_poll` by layout.
    static func wait(
        _ streams: UnsafeMutablePointer<platform_poll>?,
        _ count: UInt64,
        _ deadline: UInt64
    ) -> Int64 {
        count_host_call(UInt64(HostNumber.ppoll))
        guard deadline != .max else {
            return hypercall_wait(UInt64(HostNumber.ppoll), address(streams), count, 0, 0, 0, 0)
        }
        let time = deadline == 0 ? 0 : ProcessTime.readClock(PLATFORM_CLOCK_MONOTONIC.rawValue)
        let length = deadline > time ? deadline - time : 0
        var timeout = (length / 1_000_000_000, length % 1_000_000_000)
        let number = UInt64(HostNumber.ppoll)
        guard length > 0 else {
            return hypercall(number, address(streams), count, address(&timeout), 0, 0, 0)
        }
        return hypercall_wait(number, address(streams), count, address(&timeout), 0, 0, 0)
    }
}
