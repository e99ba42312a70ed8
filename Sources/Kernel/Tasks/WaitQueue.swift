import LinuxABI

/// A queue of those who wait for something to change in the object that owns it.
///
/// The kernel is not preempted and one processor runs it at a time, so a condition that was
/// checked before `wait` cannot change before the waiter is queued: no wake-up is lost.
public final class WaitQueue {
    // Entries are linked without ownership: each is owned by the thread or the epoll item that
    // waits, which takes it out before it dies.
    @Lent private var first: WaitEntry?
    @Lent private var last: WaitEntry?

    public init() {}

    deinit {
        // Whoever still waits on an object that went away (an epoll item) must not point here.
        while let entry = first { remove(entry) }
    }

    @inline(__always)
    public var isEmpty: Bool { first == nil }

    /// Whether a thread waits, and not only an epoll.
    var hasThreads: Bool {
        var cursor = first.map(Unmanaged.passUnretained)
        while let entry = cursor {
            cursor = entry.lent.next.map(Unmanaged.passUnretained)
            if !(entry.lent is EpollWatch) { return true }
        }
        return false
    }

    /// Puts an entry at the end.
    @_optimize(speed)
    public func add(_ entry: WaitEntry) {
        entry.queue = self
        entry.next = nil
        entry.previous = last
        if let last { last.next = entry } else { first = entry }
        last = entry
    }

    @_optimize(speed)
    public func remove(_ entry: WaitEntry) {
        guard entry.queue === self else { return }
        if let previous = entry.previous { previous.next = entry.next } else { first = entry.next }
        if let next = entry.next { next.previous = entry.previous } else { last = entry.previous }
        entry.queue = nil
        entry.next = nil
        entry.previous = nil
    }

    /// Tells the waiters, oldest first, that `events` happened, until `limit` of them took it. Of
    /// those that are exclusive one is enough, unless the object comes to its end.
    public func wake(_ events: PollEvents = .all, limit: Int = .max) {
        guard first != nil else { return }
        wakeWaiters(events, limit: limit)
    }

    @_optimize(speed)
    private func wakeWaiters(_ events: PollEvents, limit: Int) {
        var cursor = first.map(Unmanaged.passUnretained)
        var remaining = limit
        var skipsExclusive = false
        while remaining > 0, let entry = cursor {
            cursor = entry.lent.next.map(Unmanaged.passUnretained)
            if entry.lent.isExclusive, skipsExclusive { continue }
            if entry._withUnsafeGuaranteedRef({ $0.notify(events) }) {
                remaining -= 1
                if entry.lent.isExclusive { skipsExclusive = !events.contains(.hangUp) }
            }
        }
    }

    /// Blocks the current thread until it is woken here. The caller checks its condition again.
    ///
    /// Throws `interrupted` when a signal is to be taken, `timedOut` when the monotonic clock
    /// reaches `deadline`.
    @_optimize(speed)
    public func wait(
        for events: PollEvents = .all,
        until deadline: Nanoseconds = .never,
        isInterruptible: Bool = true
    ) throws(Errno) {
        let entry = Unmanaged.passUnretained(Thread.current.waitEntry!)
        entry.lent.interest = events
        add(entry.lent)
        defer { remove(entry.lent) }
        try Scheduler.block(until: deadline, isInterruptible: isInterruptible)
    }
}

/// One waiter's place in one queue.
open class WaitEntry {
    @Lent public internal(set) final var queue: WaitQueue?
    @Lent fileprivate final var next: WaitEntry?
    @Lent fileprivate final var previous: WaitEntry?

    /// Whether the news are for one alone of those who are so: EPOLLEXCLUSIVE.
    final var isExclusive = false

    public init() {}

    /// Takes the news; true when this waiter counts against the limit of those to wake.
    open func notify(_ events: PollEvents) -> Bool { false }

    /// Takes the entry out of the queue it is in, if it is in one.
    public final func leave() { queue?.remove(self) }
}

/// Wakes a thread.
public final class ThreadWaitEntry: WaitEntry {
    let thread: Unmanaged<Thread>
    public final var interest: PollEvents = .all
    /// What woke the thread; a poll that waits on many objects looks at it.
    public internal(set) var arrived: PollEvents = []

    public init(_ thread: Thread) { self.thread = Unmanaged.passUnretained(thread) }

    public override func notify(_ events: PollEvents) -> Bool {
        guard !interest.isDisjoint(with: events) else { return false }
        arrived.formUnion(events)
        return Scheduler.wake(thread)
    }
}
