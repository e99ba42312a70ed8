import LinuxABI
import Platform

/// Readiness of the outside's streams: who waits for one is woken by the idle loop or the timer.
public enum Streams {
    /// How often streams are looked at while the program computes.
    static let pollInterval: Nanoseconds = 2 * .millisecond

    public enum Stream: Int, CaseIterable {
        case input, output, error

        var number: Int32 { Int32(rawValue) }
    }

    nonisolated(unsafe) private static var queues: [WaitQueue] = []
    nonisolated(unsafe) private static var lastPoll: Nanoseconds = 0

    static func start() { queues = Stream.allCases.map { _ in WaitQueue() } }

    /// Those who wait for a stream.
    public static func queue(_ stream: Stream) -> WaitQueue { queues[stream.rawValue] }

    private static var isAwaited: Bool { queues.contains { !$0.isEmpty } }

    /// When the streams are to be looked at while a thread runs.
    static var nextPoll: Nanoseconds { isAwaited ? lastPoll &+ pollInterval : .never }

    /// What of `events` a stream is ready for now.
    public static func readiness(_ stream: Stream, _ events: PollEvents) -> PollEvents {
        var entry = platform_poll(
            stream: stream.number,
            events: Int16(truncatingIfNeeded: events.rawValue),
            ready: 0
        )
        guard machine.pointee.wait(&entry, 1, 0) > 0 else { return [] }
        return PollEvents(rawValue: UInt32(UInt16(bitPattern: entry.ready)))
    }

    /// Wakes those whose stream became ready.
    static func poll() {
        guard isAwaited else { return }
        wait(until: 0)
    }

    /// Waits for a stream that somebody waits for, an interrupt, or the deadline.
    static func wait(until deadline: Nanoseconds) {
        var entries = InlineArray<3, platform_poll>(repeating: platform_poll())
        var count = 0
        for stream in Stream.allCases where !queues[stream.rawValue].isEmpty {
            let events: PollEvents = stream == .input ? .readable : .writable
            entries[count] = platform_poll(
                stream: stream.number,
                events: Int16(events.rawValue),
                ready: 0
            )
            count += 1
        }
        let ready = withUnsafeMutablePointer(to: &entries) { pointer in
            pointer.withMemoryRebound(to: platform_poll.self, capacity: 3) {
                machine.pointee.wait($0, UInt64(count), deadline)
            }
        }
        lastPoll = now()
        guard ready > 0 else { return }
        for index in 0..<count where entries[index].ready != 0 {
            let events = PollEvents(rawValue: UInt32(UInt16(bitPattern: entries[index].ready)))
            queues[Int(entries[index].stream)].wake(events.union(.all))
        }
    }
}
