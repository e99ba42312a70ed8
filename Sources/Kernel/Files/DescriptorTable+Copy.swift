import LinuxABI

/// Copying between files, and preparing room in them.
extension DescriptorTable {
    /// As sendfile(2): copies from `source`, at its position or at one given, which moves on.
    public func send(
        _ target: FileDescriptor,
        from source: FileDescriptor,
        at position: inout Int?,
        count: Int
    ) throws(Errno) -> Int {
        let reading = try file(source)
        let writing = try file(target)
        guard reading.traits.contains(.readable), writing.traits.contains(.writable) else {
            throw .badDescriptor
        }
        guard !writing.flags.contains(.append), !(reading is DirectoryFile) else {
            throw .invalidArgument
        }
        guard position == nil || reading.traits.contains(.seekable) else { throw .illegalSeek }
        // Linux takes its input from what it can map: not from streams.
        guard reading.mappable != nil || reading.traits.contains(.seekable) else {
            throw .invalidArgument
        }
        if let output = writing as? PipeFile {
            guard position ?? 0 >= 0 else { throw .invalidArgument }
            let waits = !output.isNonBlocking
            let count = try output.pipe.fill(from: reading, at: &position, count, waits: waits)
            FileWatches.tellMoved(count, from: reading, to: writing)
            return count
        }
        return try copy(reading, &position, writing, nil, count).count
    }

    /// As copy_file_range(2), for regular files.
    public func copy(
        from source: FileDescriptor,
        at sourcePosition: inout Int?,
        to target: FileDescriptor,
        at targetPosition: inout Int?,
        count: Int
    ) throws(Errno) -> Int {
        let reading = try file(source)
        let writing = try file(target)
        guard reading.traits.contains(.readable), writing.traits.contains(.writable),
            !writing.flags.contains(.append)
        else { throw .badDescriptor }
        try requireRegular(reading)
        try requireRegular(writing)
        guard reading.inode?.filesystem === writing.inode?.filesystem else {
            throw .crossDeviceLink
        }
        let from = sourcePosition ?? reading.position
        let to = targetPosition ?? writing.position
        guard from >= 0, to >= 0, count >= 0 else { throw .invalidArgument }
        let length = min(count, Transfer.limit)
        if reading.inode === writing.inode, from < to + length, to < from + length {
            throw .invalidArgument
        }
        let answer = try copy(reading, &sourcePosition, writing, targetPosition, length)
        if targetPosition != nil { targetPosition = answer.end }
        return answer.count
    }

    private func requireRegular(_ file: OpenFile) throws(Errno) {
        guard let inode = file.inode else { throw .invalidArgument }
        guard !inode.mode.isDirectory else { throw .isDirectory }
        guard inode.mode.isRegular else { throw .invalidArgument }
    }

    /// Copies piece by piece; what was read and could not be written is not counted as read.
    private func copy(
        _ reading: OpenFile,
        _ position: inout Int?,
        _ writing: OpenFile,
        _ target: Int?,
        _ count: Int
    ) throws(Errno) -> (count: Int, end: Int) {
        let buffer = try KernelBuffer(min(max(count, 1), 64 << 10))
        let start = try reading.currentPosition()
        var from = position ?? start
        guard from >= 0 else { throw .invalidArgument }
        var to = target ?? writing.position
        var done = 0
        do throws(Errno) {
            while done < count {
                let part = UnsafeMutableRawBufferPointer(
                    rebasing: buffer.bytes[..<min(buffer.bytes.count, count - done)]
                )
                var input = Transfer(kernel: UnsafeRawBufferPointer(part))
                var next = from
                let read = try reading.readPositioned(&input, at: &next)
                guard read > 0 else { break }
                var output = Transfer(
                    kernel: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(part)[..<read])
                )
                let written =
                    target == nil
                    ? try writing.writeWaiting(&output) : try writing.write(&output, at: &to)
                from += written
                done += written
                if written < read { break }
            }
        } catch {
            if done == 0 { throw error }
        }
        FileWatches.tellMoved(done, from: reading, to: writing)
        if position != nil { position = from } else { try reading.setCurrentPosition(from) }
        return (done, to)
    }

    /// How fallocate(2) changes a range.
    public struct AllocationMode: OptionSet {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// FALLOC_FL_KEEP_SIZE, _PUNCH_HOLE, _ZERO_RANGE
        public static var keepSize: AllocationMode { AllocationMode(rawValue: 1) }
        public static var punchHole: AllocationMode { AllocationMode(rawValue: 2) }
        public static var zeroRange: AllocationMode { AllocationMode(rawValue: 16) }
    }

    /// As fallocate(2).
    public func allocate(
        _ descriptor: FileDescriptor,
        _ mode: AllocationMode,
        at offset: Int,
        count: Int
    ) throws(Errno) {
        let file = try file(descriptor)
        guard !file.flags.contains(.path), file.traits.contains(.writable) else {
            throw .badDescriptor
        }
        guard offset >= 0, count > 0 else { throw .invalidArgument }
        let (end, overflow) = offset.addingReportingOverflow(count)
        guard !overflow else { throw .fileTooLarge }
        guard let regular = file as? RegularFile else {
            throw file is PipeFile ? .illegalSeek : .noSuchDevice
        }
        let process = Process.current
        if !mode.contains(.keepSize) { try VFS.checkFileSize(end, process) }
        switch mode {
        case [], .keepSize:
            try regular.file.allocate(offset..<end, keepsSize: mode.contains(.keepSize))
        case [.punchHole, .keepSize]: try regular.file.punchHole(offset..<end)
        case .zeroRange, [.zeroRange, .keepSize]:
            try regular.file.punchHole(offset..<end)
            try regular.file.allocate(offset..<end, keepsSize: mode.contains(.keepSize))
        default: throw .notSupported
        }
        FileWatches.tell(.written, file.dentry)
    }
}

extension OpenFile {
    /// As fstatfs(2).
    public final func filesystemStatus() throws(Errno) -> FilesystemStatusRecord {
        // As Linux's pipefs and anonymous inodes tell of themselves.
        dentry?.mount?.status()
            ?? FilesystemStatusRecord(type: self is PipeFile ? 0x5049_5045 : 0x0904_1934)
    }
}
