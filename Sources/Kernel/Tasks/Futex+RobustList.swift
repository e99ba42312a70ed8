import LinuxABI

/// The futexes that a thread holds when it ends: set_robust_list(2).
enum RobustList {
    /// `struct robust_list_head`
    struct Head: BitwiseCopyable {
        var first: UInt
        var offset: Int
        var pending: UInt
    }

    /// ROBUST_LIST_LIMIT: a list that the program made a ring is walked no further.
    private static let limit = 2048

    /// Marks the words of the list as left by a dead owner and wakes who waits for them. What is
    /// not mapped ends the walk.
    static func release(_ thread: Thread) {
        let start = thread.robustList
        thread.robustList = 0
        guard start != 0, let head = try? UserPointer<Head>(start).load() else { return }
        let pending = head.pending & ~1
        var entry = head.first
        for _ in 0..<limit {
            // The lowest bit tells a priority-inheritance futex.
            let address = entry & ~1
            guard address != start else { break }
            let next = try? UserPointer<UInt>(address).load()
            if address != pending {
                let isDone = releaseWord(address, head, isOwned: entry & 1 != 0, thread)
                guard isDone else { return }
            }
            guard let next else { return }
            entry = next
        }
        guard pending != 0 else { return }
        _ = releaseWord(
            pending,
            head,
            isOwned: head.pending & 1 != 0,
            thread,
            isPending: true
        )
    }

    /// Marks one word; false when it is not mapped.
    private static func releaseWord(
        _ entry: UInt,
        _ head: Head,
        isOwned: Bool,
        _ thread: Thread,
        isPending: Bool = false
    ) -> Bool {
        let address = entry &+ UInt(bitPattern: head.offset)
        guard address & 3 == 0 else { return false }
        while true {
            guard let word = try? Futex.load(address) else { return false }
            if isPending, !isOwned, word == 0 {
                // It ended between unlocking the word and waking the next.
                _ = try? Futex.wake(address, limit: 1, isShared: true)
                return true
            }
            guard word & Futex.ownerMask == UInt32(bitPattern: thread.id) else { return true }
            let after = (word & Futex.waitersBit) | Futex.ownerDiedBit
            guard let isExchanged = try? Futex.exchange(address, word, after) else { return false }
            guard isExchanged else { continue }
            if !isOwned, word & Futex.waitersBit != 0 {
                _ = try? Futex.wake(address, limit: 1, isShared: true)
            }
            return true
        }
    }
}
