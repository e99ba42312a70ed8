import LinuxABI
import Platform

/// Priority-inheritance futexes: the word holds the owner's thread number. All threads have one
/// priority here, so that there is nothing to inherit, and the oldest waiter is the next owner.
extension Futex {
    /// FUTEX_WAITERS
    static let waitersBit: UInt32 = 0x8000_0000
    /// FUTEX_OWNER_DIED
    static let ownerDiedBit: UInt32 = 0x4000_0000
    /// FUTEX_TID_MASK
    static let ownerMask: UInt32 = 0x3fff_ffff

    /// FUTEX_LOCK_PI, FUTEX_TRYLOCK_PI: makes the current thread the owner.
    ///
    /// Throws `wouldDeadlock` when it is already, or when its owner waits for the current thread;
    /// `noSuchProcess` when the owner does not exist; `wouldBlock` for a try, `timedOut`.
    public static func lock(
        _ address: UInt,
        isTry: Bool,
        until deadline: Nanoseconds,
        isShared: Bool
    ) throws(Errno) {
        let key = try key(address, isShared: isShared)
        let thread = Thread.current
        guard let owner = try acquire(address, key, for: thread) else { return }
        if isTry { throw .wouldBlock }
        guard !isWaiting(owner, for: thread) else { throw .wouldDeadlock }
        let waiter = currentWaiter(key)
        waitForOwnership(waiter, of: owner)
        do throws(Errno) { try block(waiter, until: deadline) } catch {
            // Locking goes on after any handler, whatever its flags: ERESTARTNOINTR.
            if error == .interrupted { thread.signals.restartsAlways = true }
            throw error
        }
    }

    /// FUTEX_UNLOCK_PI: hands the futex to the oldest waiter.
    ///
    /// Throws `notPermitted` when the current thread is not the owner.
    public static func unlock(_ address: UInt, isShared: Bool) throws(Errno) {
        let key = try key(address, isShared: isShared)
        let number = UInt32(bitPattern: Thread.current.id)
        while true {
            let word = try load(address)
            guard word & ownerMask == number else { throw .notPermitted }
            guard let next = firstOwnershipWaiter(key) else {
                if try exchange(address, word, 0) { return }
                continue
            }
            if try handOver(address, word, keeping: 0, to: next) { return }
        }
    }

    /// FUTEX_WAIT_REQUEUE_PI: waits at `address` until it is woken there or moved to `second`,
    /// which it owns when this returns.
    public static func waitForRequeue(
        _ address: UInt,
        expected: UInt32,
        bits: UInt32,
        until deadline: Nanoseconds,
        second: UInt,
        isShared: Bool
    ) throws(Errno) {
        guard bits != 0 else { throw .invalidArgument }
        let key = try key(address, isShared: isShared)
        let target = try self.key(second, isShared: isShared)
        guard key != target else { throw .invalidArgument }
        guard try load(address) == expected else { throw .wouldBlock }
        let waiter = currentWaiter(key, bits: bits)
        waiter.pointee.target = target
        enqueue(waiter)
        do throws(Errno) { try block(waiter, until: deadline) } catch {
            guard error == .interrupted else { throw error }
            // Moved already: as a wake that found the word changed. Else the call starts again.
            if waiter.pointee.isForOwnership { throw .wouldBlock }
            Thread.current.signals.restartsAlways = true
            throw error
        }
    }

    /// FUTEX_CMP_REQUEUE_PI: makes the oldest waiter the second futex's owner if it is free, and
    /// lets the others wait there.
    public static func requeueForOwnership(
        from address: UInt,
        to second: UInt,
        wake wakeLimit: Int,
        move moveLimit: Int,
        expected: UInt32,
        isShared: Bool
    ) throws(Errno) -> Int {
        guard wakeLimit == 1 else { throw .invalidArgument }
        let source = try key(address, isShared: isShared)
        let target = try key(second, isShared: isShared)
        guard source != target else { throw .invalidArgument }
        guard try load(address) == expected else { throw .wouldBlock }
        var done = 0
        var cursor = queue(source).pointee.first
        while let waiter = cursor, done < 1 + max(0, moveLimit) {
            cursor = waiter.pointee.next
            guard waiter.pointee.key == source else { continue }
            guard waiter.pointee.target == target, let thread = waiter.pointee.thread else {
                throw .invalidArgument
            }
            if let owner = try acquire(second, target, for: thread.takeUnretainedValue()) {
                dequeue(waiter)
                waiter.pointee.key = target
                waiter.pointee.target = nil
                waitForOwnership(waiter, of: owner)
            } else {
                wake(waiter)
            }
            done += 1
        }
        return done
    }

    /// A thread ends: those who wait for what it owned get it, as exit_pi_state_list does.
    static func ownerEnded(_ thread: Thread) {
        guard ownershipWaiters > 0 else { return }
        // Each turn hands one futex over, which takes its waiters away from this owner.
        while true {
            var found: WaiterPointer?
            forEachWaiter { waiter in
                guard found == nil, waiter.pointee.isForOwnership,
                    waiter.pointee.owner?.toOpaque() == Unmanaged.passUnretained(thread).toOpaque()
                else { return }
                found = waiter
            }
            guard let next = found else { return }
            let address = next.pointee.key.offset
            let word = (try? load(address)) ?? 0
            let handed = try? handOver(address, word, keeping: ownerDiedBit, to: next)
            // The word is gone: the waiter finds that out by itself.
            if handed == nil { wake(next) }
        }
    }

    // MARK: Steps

    /// Makes a thread the owner of a free futex, and returns `nil`; or marks the word as waited for
    /// and returns who owns it.
    private static func acquire(_ address: UInt, _ key: FutexKey, for thread: Thread)
        throws(Errno) -> Thread?
    {
        let number = UInt32(bitPattern: thread.id)
        while true {
            let word = try load(address)
            let holder = word & ownerMask
            guard holder != number else { throw .wouldDeadlock }
            if holder == 0 {
                let waits = firstOwnershipWaiter(key) == nil ? 0 : waitersBit
                if try exchange(address, word, number | waits | (word & ownerDiedBit)) {
                    return nil
                }
                continue
            }
            guard let owner = ThreadTable.thread(Int32(bitPattern: holder)) else {
                throw .noSuchProcess
            }
            if word & waitersBit != 0 { return owner }
            if try exchange(address, word, word | waitersBit) { return owner }
        }
    }

    private static func waitForOwnership(_ waiter: WaiterPointer, of owner: Thread) {
        waiter.pointee.isForOwnership = true
        waiter.pointee.owner = Unmanaged.passUnretained(owner)
        ownershipWaiters += 1
        enqueue(waiter)
    }

    private static func firstOwnershipWaiter(_ key: FutexKey) -> WaiterPointer? {
        var cursor = queue(key).pointee.first
        while let waiter = cursor {
            if waiter.pointee.key == key, waiter.pointee.isForOwnership { return waiter }
            cursor = waiter.pointee.next
        }
        return nil
    }

    /// Makes a waiter the owner and wakes it; false when the word changed meanwhile.
    private static func handOver(
        _ address: UInt,
        _ word: UInt32,
        keeping kept: UInt32,
        to next: WaiterPointer
    ) throws(Errno) -> Bool {
        guard let thread = next.pointee.thread else { return false }
        let key = next.pointee.key
        var others = false
        forEachWaiter { waiter in
            guard waiter != next, waiter.pointee.key == key, waiter.pointee.isForOwnership else {
                return
            }
            others = true
        }
        let number = UInt32(bitPattern: thread.takeUnretainedValue().id)
        let after = number | (others ? waitersBit : 0) | (word & kept)
        guard try exchange(address, word, after) else { return false }
        wake(next)
        forEachWaiter { waiter in
            guard waiter.pointee.key == key, waiter.pointee.isForOwnership else { return }
            waiter.pointee.owner = thread
        }
        return true
    }

    /// Whether a thread waits, over any number of others, for what `owner` holds.
    private static func isWaiting(_ start: Thread, for owner: Thread) -> Bool {
        var thread = start
        // Linux's max_lock_depth.
        for _ in 0..<1024 {
            if thread === owner { return true }
            let waiter = thread.futexWaiter
            guard waiter.pointee.queue != nil, waiter.pointee.isForOwnership,
                let next = waiter.pointee.owner
            else { return false }
            thread = next.takeUnretainedValue()
        }
        return true
    }

    static func exchange(_ address: UInt, _ before: UInt32, _ after: UInt32) throws(Errno) -> Bool {
        var found: UInt32 = 0
        guard
            user_compare_exchange_word(
                UnsafeMutableRawPointer(bitPattern: address),
                before,
                after,
                &found
            ) == 0
        else { throw .badAddress }
        return found == before
    }
}
