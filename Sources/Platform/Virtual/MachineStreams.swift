import LaunchRecord
import Platform

/// Waiting for the streams to and from the outside, and for interrupts.
enum MachineStreams {
    // POLLIN and POLLOUT.
    private static var input: Int16 { 1 }
    private static var output: Int16 { 4 }

    /// What was to be watched when `ready` was cleared last.
    nonisolated(unsafe) private static var watched: UInt64 = 0
    /// Events that hold, as was told, and that nobody has asked for since.
    nonisolated(unsafe) private static var ready: UInt64 = 0

    /// Some of what is watched holds.
    static func tell(_ events: UInt64) {
        ready |= events
        cpu_set_pending(UInt32(CPU_PENDING_TIMER))
    }

    static func firstUsed(
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> platform_segment? {
        for index in 0..<Int(count) where segments[index].length > 0 { return segments[index] }
        return nil
    }

    // MARK: By the link or the machine's own terminal

    static func read(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        Images.hasOwnTerminal
            ? MachineTerminal.read(stream, segments, count) : Link.read(stream, segments, count)
    }

    static func write(
        _ stream: Int32,
        _ segments: UnsafePointer<platform_segment>,
        _ count: UInt64
    ) -> Int64 {
        Images.hasOwnTerminal
            ? MachineTerminal.write(stream, segments, count) : Link.write(stream, segments, count)
    }

    private static func poll(_ wanted: UInt64) -> Int64 {
        Images.hasOwnTerminal
            ? Int64(bitPattern: MachineTerminal.poll(wanted)) : Link.ask(.poll, 0, wanted)
    }

    private static func watch(_ wanted: UInt64) {
        if Images.hasOwnTerminal {
            MachineTerminal.watch(wanted)
        } else {
            Link.tell(.watch, 0, wanted)
        }
    }

    static func end(_ status: Int32) -> Never {
        if Images.hasOwnTerminal {
            MachineTerminal.finish()
        } else {
            Link.tell(.exit, 0, UInt64(truncatingIfNeeded: status))
        }
        Power.off(status)
    }

    // MARK: Waiting

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
        let isWatched = wanted != 0 && wanted == watched && ready == 0
        if !isWatched || deadline == 0 {
            let holding = wanted != 0 ? report(list, poll(wanted)) : 0
            guard holding == 0, deadline != 0 else { return holding }
            ready = 0
            watched = wanted
            if wanted != 0 { watch(wanted) }
        }
        sleep(until: deadline)
        return report(list, Int64(bitPattern: ready & wanted))
    }

    /// Halts until an interrupt has something to do, or the deadline.
    private static func sleep(until deadline: UInt64) {
        MachineTime.setTimer(deadline)
        interrupts_disable()
        while boot_cpu.pending == 0, ready == 0 {
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
