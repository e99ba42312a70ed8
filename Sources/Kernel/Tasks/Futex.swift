import LinuxABI
import Platform

/// What a futex is known by: the memory that its word lies in.
struct FutexKey: BitwiseCopyable, Equatable {
    /// The address space, or the object behind a shared mapping.
    var space: UInt
    /// The word's address, or its offset in the object.
    var offset: UInt
}

/// A thread's place in the queue of a futex. It lives as long as its thread's object, so that
/// waiting allocates nothing; a pointer to it is no reference that is counted.
struct FutexWaiter: BitwiseCopyable {
    var next: UnsafeMutablePointer<FutexWaiter>?
    var previous: UnsafeMutablePointer<FutexWaiter>?
    /// The queue it is in; `nil` once it was woken.
    var queue: UnsafeMutablePointer<FutexQueue>?
    var key = FutexKey(space: 0, offset: 0)
    var bits: UInt32 = Futex.anyBits
    var thread: Unmanaged<Thread>?
    /// Waits to own a priority-inheritance futex; then who owns it meanwhile.
    var isForOwnership = false
    var owner: Unmanaged<Thread>?
    /// Waits to be moved to this futex by FUTEX_CMP_REQUEUE_PI.
    var target: FutexKey?

    init() {}
}

/// Waiters whose keys have the same hash, oldest first.
struct FutexQueue: BitwiseCopyable {
    var first: UnsafeMutablePointer<FutexWaiter>?
    var last: UnsafeMutablePointer<FutexWaiter>?
}

/// Waiting for a word of memory to change: futex(2).
public enum Futex {
    typealias WaiterPointer = UnsafeMutablePointer<FutexWaiter>

    /// FUTEX_BITSET_MATCH_ANY
    public static let anyBits = UInt32.max

    private static let queueCount = 256
    nonisolated(unsafe) private static var queues: UnsafeMutablePointer<FutexQueue>! = nil

    static func start() {
        if queues == nil { queues = .allocate(capacity: queueCount) }
        queues.initialize(repeating: FutexQueue(), count: queueCount)
        ownershipWaiters = 0
    }

    // MARK: Waiting and waking

    /// Blocks until a wake at `address` whose bits meet `bits`, if the word is still `expected`.
    ///
    /// Throws `wouldBlock` when it is not, `timedOut`, `interrupted`, `badAddress`.
    @_optimize(speed)
    public static func wait(
        _ address: UInt,
        expected: UInt32,
        bits: UInt32 = anyBits,
        until deadline: Nanoseconds = .never,
        isShared: Bool
    ) throws(Errno) {
        guard bits != 0 else { throw .invalidArgument }
        let key = try key(address, isShared: isShared)
        guard try load(address) == expected else { throw .wouldBlock }
        let waiter = currentWaiter(key, bits: bits)
        enqueue(waiter)
        try block(waiter, until: deadline)
    }

    /// As `wait`; a wait with a timeout that a signal without a handler interrupts goes on until
    /// the same deadline.
    public static func waitOrGoOn(
        _ address: UInt,
        expected: UInt32,
        bits: UInt32,
        until deadline: Nanoseconds,
        isShared: Bool,
        hasTimeout: Bool
    ) throws(Errno) {
        do throws(Errno) {
            try wait(address, expected: expected, bits: bits, until: deadline, isShared: isShared)
        } catch {
            guard error == .interrupted, hasTimeout else { throw error }
            let values = UInt64(expected) | UInt64(bits) << 32
            Thread.current.restartBlock = RestartBlock(
                UInt64(address),
                values,
                deadline,
                isShared ? 1 : 0
            ) { (block) throws(Errno) in
                let values = block.arguments[1]
                try waitOrGoOn(
                    UInt(block.arguments[0]),
                    expected: UInt32(truncatingIfNeeded: values),
                    bits: UInt32(values >> 32),
                    until: block.arguments[2],
                    isShared: block.arguments[3] != 0,
                    hasTimeout: true
                )
                return 0
            }
            throw error
        }
    }

    /// Wakes at most `limit` waiters whose bits meet `bits`; returns how many.
    @_optimize(speed)
    public static func wake(
        _ address: UInt,
        limit: Int,
        bits: UInt32 = anyBits,
        isShared: Bool
    ) throws(Errno) -> Int {
        guard bits != 0 else { throw .invalidArgument }
        let key = try key(address, isShared: isShared)
        // What a shared word is known by can only be told where it is mapped.
        if isShared { _ = try load(address) }
        var woken = 0
        var cursor = queue(key).pointee.first
        while let waiter = cursor, woken < limit {
            cursor = waiter.pointee.next
            guard waiter.pointee.key == key, waiter.pointee.bits & bits != 0 else { continue }
            // FUTEX_WAKE does not hand over ownership.
            guard !waiter.pointee.isForOwnership, waiter.pointee.target == nil else {
                throw .invalidArgument
            }
            wake(waiter)
            woken += 1
        }
        return woken
    }

    /// Wakes `wakeLimit` waiters and moves `moveLimit` others to a second futex; returns both
    /// numbers together. `expected` is FUTEX_CMP_REQUEUE's value of the first word.
    public static func requeue(
        from address: UInt,
        to second: UInt,
        wake wakeLimit: Int,
        move moveLimit: Int,
        expected: UInt32?,
        isShared: Bool
    ) throws(Errno) -> Int {
        let source = try key(address, isShared: isShared)
        let target = try key(second, isShared: isShared)
        if isShared {
            _ = try load(address)
            _ = try load(second)
        }
        if let expected, try load(address) != expected { throw .wouldBlock }
        var woken = 0
        var moved = 0
        var cursor = queue(source).pointee.first
        // What is moved to the end of the same queue must not be met again.
        let end = queue(source).pointee.last
        while let waiter = cursor {
            cursor = waiter == end ? nil : waiter.pointee.next
            guard waiter.pointee.key == source else { continue }
            guard !waiter.pointee.isForOwnership, waiter.pointee.target == nil else {
                throw .invalidArgument
            }
            if woken < wakeLimit {
                wake(waiter)
                woken += 1
            } else if moved < moveLimit {
                move(waiter, to: target)
                moved += 1
            } else {
                break
            }
        }
        return woken + moved
    }

    /// FUTEX_WAKE_OP: changes the second word, wakes at the first, and at the second if its value
    /// before meets the condition.
    public static func wakeAfterOperation(
        _ address: UInt,
        _ second: UInt,
        limit: Int,
        secondLimit: Int,
        operation: UInt32,
        isShared: Bool
    ) throws(Errno) -> Int {
        _ = try key(address, isShared: isShared)
        _ = try key(second, isShared: isShared)
        let operation = FutexOperation(operation)
        let before = try operation.apply(at: second)
        var woken = try wake(address, limit: limit, isShared: isShared)
        if try operation.isMet(by: before) {
            woken += try wake(second, limit: secondLimit, isShared: isShared)
        }
        return woken
    }

    // MARK: Queues

    @inline(__always)
    static func key(_ address: UInt, isShared: Bool) throws(Errno) -> FutexKey {
        guard address & 3 == 0 else { throw .invalidArgument }
        guard UserMemory.isProgram(address, 4) else { throw .badAddress }
        let space = Unmanaged.passUnretained(Process.current.addressSpace.unsafelyUnwrapped)
        if isShared, let key = space.lent.sharedKey(address) { return key }
        return FutexKey(space: UInt(bitPattern: space.toOpaque()), offset: address)
    }

    @inline(__always)
    static func queue(_ key: FutexKey) -> UnsafeMutablePointer<FutexQueue> {
        let mixed = (key.offset ^ (key.space >> 4)) &* 0x9e37_79b9_7f4a_7c15
        return queues + Int(mixed >> 56)
    }

    static func load(_ address: UInt) throws(Errno) -> UInt32 {
        var word: UInt32 = 0
        guard user_load_word(UnsafeRawPointer(bitPattern: address), &word) == 0 else {
            throw .badAddress
        }
        return word
    }

    static func currentWaiter(_ key: FutexKey, bits: UInt32 = anyBits) -> WaiterPointer {
        let waiter = Thread.current.futexWaiter
        waiter.pointee.key = key
        waiter.pointee.bits = bits
        waiter.pointee.thread = Unmanaged.passUnretained(Thread.current)
        waiter.pointee.isForOwnership = false
        waiter.pointee.owner = nil
        waiter.pointee.target = nil
        return waiter
    }

    @inline(__always)
    static func enqueue(_ waiter: WaiterPointer) {
        let queue = queue(waiter.pointee.key)
        waiter.pointee.queue = queue
        waiter.pointee.next = nil
        waiter.pointee.previous = queue.pointee.last
        if let last = queue.pointee.last {
            last.pointee.next = waiter
        } else {
            queue.pointee.first = waiter
        }
        queue.pointee.last = waiter
    }

    static func dequeue(_ waiter: WaiterPointer) {
        guard let queue = waiter.pointee.queue else { return }
        let next = waiter.pointee.next
        let previous = waiter.pointee.previous
        if let previous { previous.pointee.next = next } else { queue.pointee.first = next }
        if let next { next.pointee.previous = previous } else { queue.pointee.last = previous }
        waiter.pointee.queue = nil
        if waiter.pointee.isForOwnership { ownershipWaiters -= 1 }
    }

    @_optimize(speed)
    static func wake(_ waiter: WaiterPointer) {
        dequeue(waiter)
        if let thread = waiter.pointee.thread { Scheduler.wake(thread) }
    }

    private static func move(_ waiter: WaiterPointer, to key: FutexKey) {
        dequeue(waiter)
        waiter.pointee.key = key
        enqueue(waiter)
    }

    /// Blocks the current thread. A wake that came while it was already on its way, for a signal or
    /// its deadline, counts: the waker was told so.
    static func block(_ waiter: WaiterPointer, until deadline: Nanoseconds) throws(Errno) {
        do throws(Errno) {
            try Scheduler.block(until: deadline, isInterruptible: true)
        } catch {
            guard waiter.pointee.queue != nil else { return }
            dequeue(waiter)
            throw error
        }
        // Nothing but a wake ends the wait without an error.
        dequeue(waiter)
    }

    // MARK: Ownership

    /// Waiters for the ownership of priority-inheritance futexes, so that a thread's end looks for
    /// them only when there are any.
    nonisolated(unsafe) static var ownershipWaiters = 0

    static func forEachWaiter(_ body: (WaiterPointer) -> Void) {
        for index in 0..<queueCount {
            var cursor = queues[index].first
            while let waiter = cursor {
                cursor = waiter.pointee.next
                body(waiter)
            }
        }
    }
}

/// The operation and the comparison of FUTEX_WAKE_OP, as its third value encodes them.
struct FutexOperation {
    private let kind: UInt32
    private let comparison: UInt32
    private let operand: UInt32
    private let compared: Int32

    init(_ word: UInt32) {
        kind = (word >> 28) & 7
        comparison = (word >> 24) & 15
        let shifts = word >> 31 != 0
        // Twelve bits, sign-extended.
        let argument = Int32(bitPattern: word << 8) >> 20
        operand =
            shifts ? 1 << (UInt32(bitPattern: argument) & 31) : UInt32(bitPattern: argument)
        compared = Int32(bitPattern: word << 20) >> 20
    }

    /// Changes the word atomically; returns it as it was before.
    func apply(at address: UInt) throws(Errno) -> UInt32 {
        let pointer = UnsafeMutableRawPointer(bitPattern: address)
        while true {
            let before = try Futex.load(address)
            let after: UInt32
            switch kind {
            case 0: after = operand
            case 1: after = before &+ operand
            case 2: after = before | operand
            case 3: after = before & ~operand
            case 4: after = before ^ operand
            default: throw .notImplemented
            }
            var found: UInt32 = 0
            guard user_compare_exchange_word(pointer, before, after, &found) == 0 else {
                throw .badAddress
            }
            if found == before { return before }
        }
    }

    func isMet(by before: UInt32) throws(Errno) -> Bool {
        let value = Int32(bitPattern: before)
        switch comparison {
        case 0: return value == compared
        case 1: return value != compared
        case 2: return value < compared
        case 3: return value <= compared
        case 4: return value > compared
        case 5: return value >= compared
        default: throw .notImplemented
        }
    }
}
