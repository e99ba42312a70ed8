import LinuxABI

/// What is different for one transfer: preadv2(2).
public struct TransferFlags: OptionSet {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// RWF_NOWAIT
    static var doesNotWait: TransferFlags { TransferFlags(rawValue: 8) }
    /// RWF_APPEND
    static var append: TransferFlags { TransferFlags(rawValue: 16) }
    /// RWF_NOAPPEND
    static var doesNotAppend: TransferFlags { TransferFlags(rawValue: 32) }
    /// With RWF_HIPRI, RWF_DSYNC and RWF_SYNC: what is written is where it will ever be, and polling for
    /// it changes nothing. No file writes more than a byte at once, RWF_ATOMIC, or bypasses what is kept
    /// of it, RWF_DONTCACHE.
    static var supported: TransferFlags { TransferFlags(rawValue: 63) }
}

extension OpenFile {
    /// Calls `body` while the file behaves as if it had been opened otherwise. That does not wait: either
    /// nothing does, or the file never does.
    ///
    /// Throws `notSupported` for flags that nobody knows, or that mean nothing to the file.
    @inline(never)
    final func with(_ transfer: TransferFlags, _ body: () throws(Errno) -> Int)
        throws(Errno) -> Int
    {
        guard transfer.isSubset(of: .supported) else { throw .notSupported }
        guard !transfer.isSuperset(of: [.append, .doesNotAppend]) else { throw .invalidArgument }
        let before = flags
        var changed = before
        if transfer.contains(.doesNotWait) {
            guard !traits.contains(.seekable), waitQueue != nil else { throw .notSupported }
            changed.insert(.nonBlocking)
        }
        if traits.contains(.seekable) {
            guard !transfer.contains(.append) || self is RegularFile else { throw .notSupported }
            if transfer.contains(.append) { changed.insert(.append) }
            if transfer.contains(.doesNotAppend) { changed.remove(.append) }
        }
        guard changed != before else { return try body() }
        flags = changed
        defer { flags = before }
        return try body()
    }
}

extension DescriptorTable {
    /// As preadv2(2) and pwritev2(2): of a position of -1 the file's own is meant.
    @inline(never)
    public func transfer(
        _ descriptor: FileDescriptor,
        _ list: UInt,
        _ count: Int,
        at position: Int,
        _ flags: TransferFlags,
        writes: Bool
    ) throws(Errno) -> Int {
        guard position >= -1 else { throw .invalidArgument }
        let file = try file(descriptor)
        if position >= 0, !file.traits.contains(.seekable) {
            throw file.flags.contains(.path) ? .badDescriptor : .illegalSeek
        }
        return try withVector(list, count) { (transfer) throws(Errno) in
            guard file.traits.contains(writes ? .writable : .readable) else {
                throw .badDescriptor
            }
            guard transfer.remaining > 0 else { return 0 }
            return try file.with(flags) { () throws(Errno) in
                switch (writes, position >= 0) {
                case (false, false): try read(descriptor, &transfer)
                case (false, true): try read(descriptor, &transfer, at: position)
                case (true, false): try write(descriptor, &transfer)
                case (true, true): try write(descriptor, &transfer, at: position)
                }
            }
        }
    }
}
