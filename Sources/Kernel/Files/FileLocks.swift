import LinuxABI

/// The locks of a file: flock(2) and fcntl(F_OFD_SETLK), which belong to open files, and
/// fcntl(F_SETLK), which belong to a process.
final class FileLocks {
    /// Who holds a lock. A process's locks belong to its table of descriptors, as on Linux.
    struct Owner: Equatable {
        private let object: UnsafeMutableRawPointer
        /// As F_GETLK tells it: -1 for an open file.
        let process: Int32

        init(_ file: OpenFile) {
            object = Unmanaged.passUnretained(file).toOpaque()
            process = -1
        }

        init(_ table: DescriptorTable, of process: Int32) {
            object = Unmanaged.passUnretained(table).toOpaque()
            self.process = process
        }

        static func == (first: Owner, second: Owner) -> Bool { first.object == second.object }
    }

    struct Lock {
        var owner: Owner
        var isExclusive: Bool
        /// Nil for flock(2)'s lock of the whole file.
        var range: Range<Int>?
    }

    private(set) var locks: [Lock] = []
    let waiters = WaitQueue()
    /// Bounds what a program can make the kernel keep.
    private static let limit = 65_536

    private func conflicts(
        _ lock: Lock,
        _ owner: Owner,
        _ isExclusive: Bool,
        _ range: Range<Int>?
    )
        -> Bool
    {
        guard lock.owner != owner, lock.isExclusive || isExclusive else { return false }
        guard let range, let other = lock.range else { return range == nil && lock.range == nil }
        return range.overlaps(other)
    }

    /// The first lock that stands against a new one.
    func conflict(_ owner: Owner, _ isExclusive: Bool, _ range: Range<Int>?) -> Lock? {
        for lock in locks where conflicts(lock, owner, isExclusive, range) { return lock }
        return nil
    }

    /// Sets a lock, or with `isExclusive` nil takes it away. Throws `wouldBlock`, or waits.
    func set(_ owner: Owner, isExclusive: Bool?, _ range: Range<Int>?, waits: Bool)
        throws(Errno)
    {
        if let isExclusive {
            // As flock(2): changing a lock gives up the old one first.
            if range == nil { release(owner, nil) }
            while conflict(owner, isExclusive, range) != nil {
                guard waits else { throw .wouldBlock }
                try waiters.wait()
            }
            guard locks.count < FileLocks.limit else { throw .noLocks }
        }
        release(owner, range)
        if let isExclusive { add(Lock(owner: owner, isExclusive: isExclusive, range: range)) }
    }

    /// Adds a lock, joined with those of its owner that it touches and that are of its kind.
    private func add(_ lock: Lock) {
        var lock = lock
        var index = 0
        while let range = lock.range, index < locks.count {
            let other = locks[index]
            guard other.owner == lock.owner, other.isExclusive == lock.isExclusive,
                let near = other.range, near.upperBound >= range.lowerBound,
                range.upperBound >= near.lowerBound
            else {
                index += 1
                continue
            }
            lock.range =
                min(range.lowerBound, near.lowerBound)..<max(range.upperBound, near.upperBound)
            locks.remove(at: index)
        }
        locks.append(lock)
    }

    /// Takes away what an owner holds of a range, or its flock(2) lock.
    private func release(_ owner: Owner, _ range: Range<Int>?) {
        var kept: [Lock] = []
        for lock in locks {
            guard lock.owner == owner, (lock.range == nil) == (range == nil) else {
                kept.append(lock)
                continue
            }
            guard let range, let held = lock.range else { continue }
            keepRest(of: lock, held, without: range, in: &kept)
        }
        locks = kept
        waiters.wake()
    }

    private func keepRest(
        of lock: Lock,
        _ held: Range<Int>,
        without range: Range<Int>,
        in kept: inout [Lock]
    ) {
        guard held.overlaps(range) else { return kept.append(lock) }
        var part = lock
        if held.lowerBound < range.lowerBound {
            part.range = held.lowerBound..<range.lowerBound
            kept.append(part)
        }
        if held.upperBound > range.upperBound {
            part.range = range.upperBound..<held.upperBound
            kept.append(part)
        }
    }

    /// Takes away all locks of an owner: an open file, or a process that closed the file.
    func releaseAll(_ owner: Owner) {
        guard !locks.isEmpty else { return }
        locks.removeAll { $0.owner == owner }
        waiters.wake()
    }
}

extension OpenFile {
    private var ownedLocks: FileLocks? {
        // A file without a name is nobody else's to lock.
        guard let inode else { return nil }
        if inode.locks == nil { inode.locks = FileLocks() }
        return inode.locks
    }

    /// As flock(2).
    public final func lock(isExclusive: Bool?, waits: Bool) throws(Errno) {
        guard !flags.contains(.path) else { throw .badDescriptor }
        try ownedLocks?.set(FileLocks.Owner(self), isExclusive: isExclusive, nil, waits: waits)
    }

    /// As fcntl(F_OFD_SETLK), or with a process as F_SETLK, and their waiting kin.
    public final func lock(
        _ range: Range<Int>,
        of process: Process? = nil,
        isExclusive: Bool?,
        waits: Bool
    ) throws(Errno) {
        try ownedLocks?.set(owner(process), isExclusive: isExclusive, range, waits: waits)
    }

    private func owner(_ process: Process?) -> FileLocks.Owner {
        guard let process else { return FileLocks.Owner(self) }
        return FileLocks.Owner(process.descriptors, of: process.id)
    }

    /// As fcntl(F_OFD_GETLK), or with a process as F_GETLK: the lock that stands against one, and
    /// the process that holds it (-1: an open file).
    public final func conflictingLock(_ range: Range<Int>, of process: Process?, isExclusive: Bool)
        -> (range: Range<Int>, isExclusive: Bool, process: Int32)?
    {
        guard let found = inode?.locks?.conflict(owner(process), isExclusive, range),
            let range = found.range
        else { return nil }
        return (range, found.isExclusive, found.owner.process)
    }
}
