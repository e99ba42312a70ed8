import LinuxABI

/// Waiting for several files at once: poll(2) and select(2).
public enum Poll {
    /// One file that is waited for, laid out as `struct pollfd`.
    public struct Entry: BitwiseCopyable {
        public var descriptor: Int32
        public var events: Int16
        public var returned: Int16

        public init(descriptor: Int32, events: Int16, returned: Int16 = 0) {
            self.descriptor = descriptor
            self.events = events
            self.returned = returned
        }
    }

    /// Fills `returned` of each entry; answers how many have one. Waits until there are some, or
    /// the monotonic clock reaches `deadline`. Throws `interrupted`.
    public static func wait(
        _ entries: UnsafeMutableBufferPointer<Entry>,
        in table: DescriptorTable,
        until deadline: Nanoseconds
    ) throws(Errno) -> Int {
        while true {
            let ready = scan(entries, table)
            guard ready == 0, deadline != 0 else { return ready }
            do throws(Errno) {
                try block(entries, table, deadline)
            } catch {
                guard error == .timedOut else { throw error }
                return scan(entries, table)
            }
        }
    }

    private static func scan(_ entries: UnsafeMutableBufferPointer<Entry>, _ table: DescriptorTable)
        -> Int
    {
        var ready = 0
        for index in entries.indices {
            entries[index].returned = 0
            guard entries[index].descriptor >= 0 else { continue }
            let returned = events(of: entries[index], table)
            entries[index].returned = Int16(truncatingIfNeeded: returned.rawValue)
            if !returned.isEmpty { ready += 1 }
        }
        return ready
    }

    private static func events(of entry: Entry, _ table: DescriptorTable) -> PollEvents {
        guard let file = table.find(FileDescriptor(entry.descriptor)) else { return .invalid }
        let asked = PollEvents(rawValue: UInt32(UInt16(bitPattern: entry.events)))
        return file._withUnsafeGuaranteedRef { file in
            guard !file.flags.contains(.path) else { return .invalid }
            return file.readiness().intersection(asked.union(.unasked))
        }
    }

    /// Waits for one of the files, which are held meanwhile.
    private static func block(
        _ entries: UnsafeMutableBufferPointer<Entry>,
        _ table: DescriptorTable,
        _ deadline: Nanoseconds
    ) throws(Errno) {
        var waiters: [Waiter] = []
        defer { for waiter in waiters { waiter.leave() } }
        let thread = Thread.current
        for entry in entries where entry.descriptor >= 0 {
            guard let file = table.find(FileDescriptor(entry.descriptor))?.takeUnretainedValue(),
                let queue = file.waitQueue
            else { continue }
            let asked = PollEvents(rawValue: UInt32(UInt16(bitPattern: entry.events)))
            let waiter = Waiter(thread, file, asked.union(.unasked))
            queue.lent.add(waiter)
            waiters.append(waiter)
        }
        try Scheduler.block(until: deadline, isInterruptible: true)
    }

    /// A thread's place in the queue of one of the files that it waits for.
    private final class Waiter: WaitEntry {
        unowned(unsafe) let thread: Thread
        let file: OpenFile
        let interest: PollEvents

        init(_ thread: Thread, _ file: OpenFile, _ interest: PollEvents) {
            self.thread = thread
            self.file = file
            self.interest = interest
        }

        override func notify(_ events: PollEvents) -> Bool {
            guard !interest.isDisjoint(with: events) else { return false }
            return Scheduler.wake(thread)
        }
    }
}
