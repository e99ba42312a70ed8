import LaunchRecord
import Platform

/// Waiting for the streams to and from the outside, and for interrupts.
enum MachineStreams {
    // POLLIN and POLLOUT.
    private static var input: Int16 { 1 }
    private static var output: Int16 { 4 }

    /// What `unirun` was asked to watch when `Link.ready` was cleared last.
    nonisolated(unsafe) private static var watched: UInt64 = 0

    static func wait(
        _ streams: UnsafeMutablePointer<platform_poll>?,
        _ count: UInt64,
        _ deadline: UInt64
    ) -> Int64 {
        let list = UnsafeMutableBufferPointer(start: streams, count: Int(count))
        var wanted: UInt64 = 0
        for entry in list {
            if entry.events & input != 0 { wanted |= MachineLink.readable(entry.stream) }
            if entry.events & output != 0 { wanted |= MachineLink.writable(entry.stream) }
        }
        // A wait that ended for another reason, as frames, goes on without a word.
        let isWatched = wanted != 0 && wanted == watched && Link.ready == 0
        if !isWatched || deadline == 0 {
            let ready = wanted != 0 ? report(list, Link.ask(.poll, 0, wanted)) : 0
            guard ready == 0, deadline != 0 else { return ready }
            Link.ready = 0
            watched = wanted
            if wanted != 0 { Link.tell(.watch, 0, wanted) }
        }
        sleep(until: deadline)
        return report(list, Int64(bitPattern: Link.ready & wanted))
    }

    /// Halts until an interrupt has something to do, or the deadline.
    private static func sleep(until deadline: UInt64) {
        MachineTime.setTimer(deadline)
        interrupts_disable()
        while boot_cpu.pending == 0, Link.ready == 0 {
            if deadline != .max,
                MachineTime.readClock(PLATFORM_CLOCK_MONOTONIC.rawValue) >= deadline
            {
                break
            }
            halt()
            interrupts_disable()
        }
        interrupts_enable()
    }

    /// Says of each stream what holds; how many are ready.
    private static func report(
        _ streams: UnsafeMutableBufferPointer<platform_poll>,
        _ set: Int64
    ) -> Int64 {
        var count: Int64 = 0
        let set = UInt64(bitPattern: max(set, 0))
        for index in streams.indices {
            let stream = streams[index].stream
            var events: Int16 = 0
            if set & MachineLink.readable(stream) != 0 { events |= input }
            if set & MachineLink.writable(stream) != 0 { events |= output }
            streams[index].ready = events & streams[index].events
            if streams[index].ready != 0 { count += 1 }
        }
        return count
    }
}
