import LinuxABI

/// The flags of splice(2) and its kin. Bytes are moved, and no pages, so moving pages and giving them
/// away are hints that change nothing.
public struct SpliceFlags: OptionSet {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// SPLICE_F_NONBLOCK
    public static var nonBlocking: SpliceFlags { SpliceFlags(rawValue: 2) }
    /// With SPLICE_F_MOVE, SPLICE_F_MORE and SPLICE_F_GIFT.
    public static var all: SpliceFlags { SpliceFlags(rawValue: 15) }
}

/// Moving bytes from and to pipes without the program's memory.
extension DescriptorTable {
    /// As splice(2). A position that is given moves on in the place of the file's own.
    public func splice(
        from source: FileDescriptor,
        at sourcePosition: inout Int?,
        to target: FileDescriptor,
        at targetPosition: inout Int?,
        count: Int,
        _ flags: SpliceFlags
    ) throws(Errno) -> Int {
        let reading = try file(source)
        let writing = try file(target)
        guard reading.traits.contains(.readable), writing.traits.contains(.writable) else {
            throw .badDescriptor
        }
        let count = min(count, Transfer.limit)
        let waits = !flags.contains(.nonBlocking)
        let (input, output) = (reading as? PipeFile, writing as? PipeFile)
        if let input, let output {
            return try move(input, output, count, waits: waits, keeps: false)
        }
        if let input {
            guard !writing.flags.contains(.append) else { throw .invalidArgument }
            try requirePosition(targetPosition, in: writing)
            let done = try input.pipe.drain(
                into: writing,
                at: &targetPosition,
                count,
                waits: waits && !input.isNonBlocking
            )
            FileWatches.tellMoved(done, from: reading, to: writing)
            return done
        }
        guard let output else { throw .invalidArgument }
        try requirePosition(sourcePosition, in: reading)
        let done = try output.pipe.fill(
            from: reading,
            at: &sourcePosition,
            count,
            waits: waits && !output.isNonBlocking
        )
        FileWatches.tellMoved(done, from: reading, to: writing)
        return done
    }

    private func move(
        _ input: PipeFile,
        _ output: PipeFile,
        _ count: Int,
        waits: Bool,
        keeps: Bool
    ) throws(Errno) -> Int {
        guard input.pipe !== output.pipe else { throw .invalidArgument }
        return try Pipe.move(
            from: input.pipe,
            to: output.pipe,
            count,
            waits: waits && !input.isNonBlocking && !output.isNonBlocking,
            keeps: keeps
        )
    }

    /// Files without a position have none that could be given, and not all take part.
    private func requirePosition(_ position: Int?, in file: OpenFile) throws(Errno) {
        if let position {
            guard file.traits.contains(.seekable), position >= 0 else { throw .invalidArgument }
        }
        guard file.isSpliceable else { throw .invalidArgument }
    }

    /// As tee(2).
    public func tee(
        from source: FileDescriptor,
        to target: FileDescriptor,
        count: Int,
        _ flags: SpliceFlags
    ) throws(Errno) -> Int {
        let reading = try file(source)
        let writing = try file(target)
        guard reading.traits.contains(.readable), writing.traits.contains(.writable) else {
            throw .badDescriptor
        }
        guard let input = reading as? PipeFile, let output = writing as? PipeFile else {
            throw .invalidArgument
        }
        let count = min(count, Transfer.limit)
        return try move(input, output, count, waits: !flags.contains(.nonBlocking), keeps: true)
    }

    /// Whether a descriptor is one of a pipe or FIFO. Throws `badDescriptor`.
    public func isPipe(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
        let file = try file(descriptor)
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        return file is PipeFile
    }

    /// Whether vmsplice(2) writes to a descriptor, or else reads from it. Throws `badDescriptor`.
    public func splicesIntoPipe(_ descriptor: FileDescriptor) throws(Errno) -> Bool {
        let file = try file(descriptor)
        if file.traits.contains(.writable) { return true }
        guard file.traits.contains(.readable) else { throw .badDescriptor }
        return false
    }

    /// As vmsplice(2).
    public func splice(
        _ descriptor: FileDescriptor,
        _ transfer: inout Transfer,
        _ flags: SpliceFlags
    ) throws(Errno) -> Int {
        let isWriting = try splicesIntoPipe(descriptor)
        guard transfer.remaining > 0 else { return 0 }
        guard let file = try file(descriptor) as? PipeFile else { throw .badDescriptor }
        let pipe = file.pipe
        let waits = !flags.contains(.nonBlocking)
        guard isWriting else { return try pipe.drain(into: &transfer, waits: waits) }
        try pipe.waitForRoom(waits)
        var done = 0
        while transfer.remaining > 0, pipe.hasRoom {
            let part = try pipe.withRoom(transfer.remaining) { (room) throws(Errno) in
                try transfer.take(room.baseAddress!, room.count)
            }
            guard part > 0 else { break }
            done += part
        }
        return done
    }

    /// As sync_file_range(2): what is written is where it will ever be.
    public func synchronizeRange(
        _ descriptor: FileDescriptor,
        _ offset: Int,
        _ count: Int,
        _ flags: UInt32
    ) throws(Errno) {
        let file = try file(descriptor)
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        // SYNC_FILE_RANGE_WAIT_BEFORE, _WRITE and _WAIT_AFTER
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard flags & ~7 == 0, offset >= 0, !overflow, end >= offset else {
            throw .invalidArgument
        }
        let mode = FileMode(rawValue: try file.status().mode)
        guard mode.isRegular || mode.isDirectory || mode.isKind(.blockDevice) else {
            throw .illegalSeek
        }
    }

    /// As readahead(2): all that can be read is in memory.
    public func readAhead(_ descriptor: FileDescriptor) throws(Errno) {
        let file = try file(descriptor)
        guard file.traits.contains(.readable) else { throw .badDescriptor }
        let mode = FileMode(rawValue: try file.status().mode)
        guard mode.isRegular || mode.isKind(.blockDevice) else { throw .invalidArgument }
    }
}
