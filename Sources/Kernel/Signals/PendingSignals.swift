import LinuxABI

/// The signals that wait for a thread or a process, in the order in which they came.
///
/// A standard signal is there at most once; real-time signals queue. Entries come from one pool:
/// when it is empty a signal that needs no information is kept as its bit alone, as on Linux.
struct PendingSignals {
    private(set) var set: SignalSet = []
    private var first: UnsafeMutablePointer<QueuedSignal>?
    private var last: UnsafeMutablePointer<QueuedSignal>?

    /// Entries of the pool, for all processes.
    static let capacity = 4096

    nonisolated(unsafe) private static var firstFree: UnsafeMutablePointer<QueuedSignal>?
    nonisolated(unsafe) private static var pool: UnsafeMutablePointer<QueuedSignal>! = nil
    /// Entries of the pool that were never used: their memory was not touched yet.
    nonisolated(unsafe) private static var untouched = 0
    nonisolated(unsafe) private(set) static var queuedCount = 0

    static func start() {
        if pool == nil { pool = .allocate(capacity: capacity) }
        firstFree = nil
        untouched = 0
        queuedCount = 0
    }

    private static func takeEntry() -> UnsafeMutablePointer<QueuedSignal>? {
        if let entry = firstFree {
            firstFree = entry.pointee.next
            queuedCount += 1
            return entry
        }
        guard untouched < capacity else { return nil }
        untouched += 1
        queuedCount += 1
        return pool + (untouched - 1)
    }

    private static func putEntry(_ entry: UnsafeMutablePointer<QueuedSignal>) {
        entry.pointee.next = firstFree
        firstFree = entry
        queuedCount -= 1
    }

    /// Adds a signal; false when its information was not kept because the signal waits already.
    /// Throws `wouldBlock` when a real-time signal's information cannot be kept.
    @discardableResult
    mutating func add(
        _ signal: Signal,
        _ information: SignalInformation,
        limit: UInt64 = .max
    ) throws(Errno) -> Bool {
        guard signal.isRealTime || !set.contains(signal) else { return false }
        let isWithinLimit = UInt64(PendingSignals.queuedCount) < limit
        // The kernel's own and kill(2)'s signals are never refused.
        let isExempt = !signal.isRealTime || information.code == SignalInformation.kernel
        guard isWithinLimit || isExempt, let entry = PendingSignals.takeEntry() else {
            if signal.isRealTime, information.code != SignalInformation.user { throw .wouldBlock }
            set.insert(SignalSet(signal))
            return false
        }
        entry.initialize(to: QueuedSignal(information: information, next: nil))
        if let last { last.pointee.next = entry } else { first = entry }
        last = entry
        set.insert(SignalSet(signal))
        return true
    }

    /// Takes the oldest entry of a signal that is in the set.
    mutating func take(_ signal: Signal) -> SignalInformation {
        var previous: UnsafeMutablePointer<QueuedSignal>?
        var cursor = first
        while let entry = cursor, entry.pointee.information.signal != signal.number {
            previous = entry
            cursor = entry.pointee.next
        }
        guard let found = cursor else {
            set.remove(SignalSet(signal))
            return SignalInformation(
                signal,
                code: SignalInformation.user,
                senderProcess: 0,
                senderUser: 0
            )
        }
        unlink(found, after: previous)
        if !hasEntry(of: signal, from: found.pointee.next) { set.remove(SignalSet(signal)) }
        let information = found.pointee.information
        PendingSignals.putEntry(found)
        return information
    }

    private mutating func unlink(
        _ entry: UnsafeMutablePointer<QueuedSignal>,
        after previous: UnsafeMutablePointer<QueuedSignal>?
    ) {
        if let previous {
            previous.pointee.next = entry.pointee.next
        } else {
            first = entry.pointee.next
        }
        if last == entry { last = previous }
    }

    private func hasEntry(of signal: Signal, from start: UnsafeMutablePointer<QueuedSignal>?)
        -> Bool
    {
        var cursor = start
        while let entry = cursor {
            if entry.pointee.information.signal == signal.number { return true }
            cursor = entry.pointee.next
        }
        return false
    }

    /// Forgets the signals of a set.
    mutating func discard(_ discarded: SignalSet) {
        var rest = set.intersection(discarded)
        while let signal = rest.lowest {
            while set.contains(signal) { _ = take(signal) }
            rest.remove(SignalSet(signal))
        }
    }
}

struct QueuedSignal: BitwiseCopyable {
    var information: SignalInformation
    var next: UnsafeMutablePointer<QueuedSignal>?
}
