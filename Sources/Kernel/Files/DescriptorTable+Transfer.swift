import LinuxABI

/// Reading and writing at the position of a lent file.
extension Unmanaged where Instance == OpenFile {
    /// As read(2).
    @inline(__always)
    public func read(_ transfer: inout Transfer) throws(Errno) -> Int {
        guard lent.traits.contains(.readable) else { throw .badDescriptor }
        return try readWaiting(&transfer)
    }

    @inline(never)
    private func readWaiting(_ transfer: inout Transfer) throws(Errno) -> Int {
        try lend { (file) throws(Errno) in
            let count = try file.readWaiting(&transfer)
            if !FileWatches.isIdle, count > 0 { FileWatches.tell(.read, file.dentry) }
            return count
        }
    }

    /// As write(2).
    @inline(__always)
    public func write(_ transfer: inout Transfer) throws(Errno) -> Int {
        guard lent.traits.contains(.writable) else { throw .badDescriptor }
        return try writeWaiting(&transfer)
    }

    @inline(never)
    private func writeWaiting(_ transfer: inout Transfer) throws(Errno) -> Int {
        try lend { (file) throws(Errno) in
            let count = try file.writeWaiting(&transfer)
            if !FileWatches.isIdle, count > 0 { FileWatches.tell(.written, file.dentry) }
            return count
        }
    }
}

/// Reading and writing by descriptor.
extension DescriptorTable {
    /// Reads at the file's position.
    @inline(__always)
    public func read(_ descriptor: FileDescriptor, _ transfer: inout Transfer) throws(Errno) -> Int
    {
        try lend(descriptor).read(&transfer)
    }

    /// Writes at the file's position.
    @inline(__always)
    public func write(_ descriptor: FileDescriptor, _ transfer: inout Transfer)
        throws(Errno) -> Int
    {
        try lend(descriptor).write(&transfer)
    }

    /// Reads at a position of the caller's, as pread(2). Nothing that has a position waits.
    public func read(_ descriptor: FileDescriptor, _ transfer: inout Transfer, at position: Int)
        throws(Errno) -> Int
    {
        guard position >= 0 else { throw .invalidArgument }
        unowned(unsafe) let file = try lend(descriptor)._withUnsafeGuaranteedRef { $0 }
        guard file.traits.contains(.seekable) else {
            throw file.flags.contains(.path) ? .badDescriptor : .illegalSeek
        }
        guard file.traits.contains(.readable) else { throw .badDescriptor }
        guard transfer.remaining <= Int.max - position else { throw .invalidArgument }
        var position = position
        let count = try file.readPositioned(&transfer, at: &position)
        if !FileWatches.isIdle, count > 0 { FileWatches.tell(.read, file.dentry) }
        return count
    }

    /// Writes at a position of the caller's, as pwrite(2).
    public func write(_ descriptor: FileDescriptor, _ transfer: inout Transfer, at position: Int)
        throws(Errno) -> Int
    {
        guard position >= 0 else { throw .invalidArgument }
        unowned(unsafe) let file = try lend(descriptor)._withUnsafeGuaranteedRef { $0 }
        guard file.traits.contains(.seekable) else {
            throw file.flags.contains(.path) ? .badDescriptor : .illegalSeek
        }
        guard file.traits.contains(.writable) else { throw .badDescriptor }
        guard transfer.remaining <= Int.max - position else { throw .invalidArgument }
        var position = position
        let count = try file.writePositioned(&transfer, at: &position)
        if !FileWatches.isIdle, count > 0 { FileWatches.tell(.written, file.dentry) }
        return count
    }

    /// Calls `body` with a transfer of the ranges in an array of `struct iovec`.
    public func withVector(
        _ address: UInt,
        _ count: Int,
        _ body: (inout Transfer) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        // UIO_MAXIOV
        guard count >= 0, count <= 1024 else { throw .invalidArgument }
        guard count > 8 else { return try withSmallVector(address, count, body) }
        let size = count * MemoryLayout<TransferSegment>.stride
        let memory = try KernelBuffer(size)
        try UserMemory.read(memory.bytes, at: address)
        let segments = UnsafeBufferPointer(
            start: memory.bytes.baseAddress!.assumingMemoryBound(to: TransferSegment.self),
            count: count
        )
        var transfer = try Transfer(segments)
        return try body(&transfer)
    }

    private func withSmallVector(
        _ address: UInt,
        _ count: Int,
        _ body: (inout Transfer) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        var segments = InlineArray<8, TransferSegment>(
            repeating: TransferSegment(base: 0, length: 0)
        )
        return try withUnsafeMutableBytes(of: &segments) { (bytes) throws(Errno) in
            let size = count * MemoryLayout<TransferSegment>.stride
            try UserMemory.read(
                UnsafeMutableRawBufferPointer(rebasing: bytes[..<size]),
                at: address
            )
            let list = UnsafeBufferPointer(
                start: bytes.baseAddress!.assumingMemoryBound(to: TransferSegment.self),
                count: count
            )
            var transfer = try Transfer(list)
            return try body(&transfer)
        }
    }
}
