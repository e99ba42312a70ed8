/// Something that happens at a time of the monotonic clock.
///
/// A timer belongs to the object that uses it and is in the queue at most once.
open class Timer {
    public fileprivate(set) var deadline: Nanoseconds = .never
    fileprivate var index = -1

    public init() {}

    public final var isRunning: Bool { index >= 0 }

    /// Called once, with the timer out of the queue; it may start it again.
    open func expired(at time: Nanoseconds) {}
}

/// The timers that run, as a binary heap by deadline.
public final class TimerQueue {
    nonisolated(unsafe) public private(set) static var shared: TimerQueue! = nil

    /// Called once at the start.
    static func start() { shared = TimerQueue() }

    // Owned by their objects: a timer stops before its owner dies.
    private var heap: [Unmanaged<Timer>] = []

    public init() { heap.reserveCapacity(TimerQueue.usualCapacity) }

    private static let usualCapacity = 64

    /// Gives back the room that many timers took, when none is left.
    func shrink() {
        guard heap.isEmpty, heap.capacity > TimerQueue.usualCapacity else { return }
        heap = []
        heap.reserveCapacity(TimerQueue.usualCapacity)
    }

    public var nextDeadline: Nanoseconds {
        heap.isEmpty ? .never : heap[0]._withUnsafeGuaranteedRef { $0.deadline }
    }

    /// Starts a timer, or moves one that runs.
    public func start(_ timer: Timer, at deadline: Nanoseconds) {
        stop(timer)
        timer.deadline = deadline
        heap.append(Unmanaged.passUnretained(timer))
        timer.index = heap.count - 1
        siftUp(heap.count - 1)
        if timer.index == 0 { Scheduler.armTimer() }
    }

    public func stop(_ timer: Timer) {
        guard timer.index >= 0 else { return }
        removeEntry(timer.index)
    }

    /// Expires what is due.
    public func runDue(at time: Nanoseconds) {
        while let first = heap.first {
            let timer = first.takeUnretainedValue()
            guard timer.deadline <= time else { return }
            removeEntry(0)
            timer.expired(at: time)
        }
    }

    private func removeEntry(_ index: Int) {
        heap[index]._withUnsafeGuaranteedRef { $0.index = -1 }
        let last = heap.removeLast()
        guard index < heap.count else { return }
        place(last, at: index)
        siftDown(index)
        siftUp(index)
    }

    private func place(_ timer: Unmanaged<Timer>, at index: Int) {
        heap[index] = timer
        timer._withUnsafeGuaranteedRef { $0.index = index }
    }

    private func deadline(_ index: Int) -> Nanoseconds {
        heap[index]._withUnsafeGuaranteedRef { $0.deadline }
    }

    private func swap(_ first: Int, _ second: Int) {
        let timer = heap[first]
        place(heap[second], at: first)
        place(timer, at: second)
    }

    private func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard deadline(index) < deadline(parent) else { return }
            swap(index, parent)
            index = parent
        }
    }

    private func siftDown(_ start: Int) {
        var index = start
        while true {
            var least = index
            for child in 2 * index + 1...2 * index + 2
            where child < heap.count && deadline(child) < deadline(least) {
                least = child
            }
            guard least != index else { return }
            swap(index, least)
            index = least
        }
    }
}
