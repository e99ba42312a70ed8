import LinuxABI

/// The locks of a file that belong to open files: flock(2), and fcntl(2)'s F_OFD_SETLK.
///
/// Locks of fcntl(F_SETLK) belong to a process; with one process they conflict with nothing that
/// it could see, and are not kept.
final class FileLocks {
    struct Lock {
        var owner: Unmanaged<OpenFile>
        var isExclusive: Bool
        /// Nil for flock(2)'s lock of the whole file.
        var range: Range<Int>?
    }

    private(set) var locks: [Lock] = []
    let waiters = WaitQueue()
    /// Bounds what a program can make the kernel keep.
    private static let limit = 65_536

    private func owns(_ lock: Lock, _ file: OpenFile) -> Bool {
        lock.owner.toOpaque() == Unmanaged.passUnretained(file).toOpaque()
    }

    private func conflicts(
        _ lock: Lock,
        _ file: OpenFile,
        _ isExclusive: Bool,
        _ range: Range<Int>?
    )
        -> Bool
    {
        guard !owns(lock, file), lock.isExclusive || isExclusive else { return false }
        guard let range, let other = lock.range else { return range == nil && lock.range == nil }
        return range.overlaps(other)
    }

    /// The first lock that stands against a new one.
    func conflict(_ file: OpenFile, _ isExclusive: Bool, _ range: Range<Int>?) -> Lock? {
        for lock in locks where conflicts(lock, file, isExclusive, range) { return lock }
        return nil
    }

    /// Sets a lock, or with `isExclusive` nil takes it away. Throws `wouldBlock`, or waits.
    func set(_ file: OpenFile, isExclusive: Bool?, _ range: Range<Int>?, waits: Bool)
        throws(Errno)
    {
        if let isExclusive {
            // As flock(2): changing a lock gives up the old one first.
            if range == nil { release(file, nil) }
            while conflict(file, isExclusive, range) != nil {
                guard waits else { throw .wouldBlock }
                try waiters.wait()
            }
            guard locks.count < FileLocks.limit else { throw .noLocks }
        }
        release(file, range)
        if let isExclusive {
            locks.append(
                Lock(
                    owner: Unmanaged.passUnretained(file),
                    isExclusive: isExclusive,
                    range: range
                )
            )
        }
    }

    /// Takes away what a file holds of a range, or its flock(2) lock.
    private func release(_ file: OpenFile, _ range: Range<Int>?) {
        var kept: [Lock] = []
        for lock in locks {
            guard owns(lock, file), (lock.range == nil) == (range == nil) else {
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

    /// Takes away all locks of a file that is closed for good.
    func releaseAll(_ file: OpenFile) {
        locks.removeAll { owns($0, file) }
        waiters.wake()
    }
}

extension OpenFile {
    /// As flock(2).
    public final func lock(isExclusive: Bool?, waits: Bool) throws(Errno) {
        guard !flags.contains(.path) else { throw .badDescriptor }
        // A file without a name is nobody else's to lock.
        guard let inode else { return }
        if inode.locks == nil { inode.locks = FileLocks() }
        try inode.locks!.set(self, isExclusive: isExclusive, nil, waits: waits)
    }

    /// As fcntl(F_OFD_SETLK) and its waiting kin.
    public final func lock(_ range: Range<Int>, isExclusive: Bool?, waits: Bool) throws(Errno) {
        guard let inode else { throw .badDescriptor }
        if inode.locks == nil { inode.locks = FileLocks() }
        try inode.locks!.set(self, isExclusive: isExclusive, range, waits: waits)
    }

    /// As fcntl(F_OFD_GETLK): the lock that stands against one.
    public final func conflictingLock(_ range: Range<Int>, isExclusive: Bool)
        -> (range: Range<Int>, isExclusive: Bool)?
    {
        guard let found = inode?.locks?.conflict(self, isExclusive, range),
            let range = found.range
        else { return nil }
        return (range, found.isExclusive)
    }
}
