import LinuxABI

/// A regular file that is open.
final class RegularFile: OpenFile {
    unowned(unsafe) let file: MemoryFile

    private let countsAsWriter: Bool

    /// Linux does not count memfd_create(2)'s own file as open for writing.
    init(_ file: MemoryFile, _ dentry: Dentry, _ flags: OpenFlags, isMemoryFile: Bool = false) {
        self.file = file
        countsAsWriter = flags.isWritable && !isMemoryFile
        super.init(flags: flags, traits: .seekable, dentry: dentry)
        if countsAsWriter { file.writers += 1 }
    }

    deinit {
        if countsAsWriter { file.writers -= 1 }
    }

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        let count = try file.read(&transfer, at: &position)
        // As relatime: when it was not read since it was written.
        if !wasReadSinceWritten, !flags.contains(.noAccessTime),
            !file.filesystem.mountOptions.contains(.noAccessTime)
        {
            file.accessTime = CoarseClock.now()
        }
        return count
    }

    @inline(__always)
    private var wasReadSinceWritten: Bool {
        let accessed = file.accessTime
        let modified = file.modificationTime
        guard accessed.seconds == modified.seconds else {
            return accessed.seconds > modified.seconds
        }
        return accessed.nanoseconds > modified.nanoseconds
    }

    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        if flags.contains(.append) { position = file.size }
        return try file.write(&transfer, at: &position)
    }

    override func seek(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int {
        switch origin {
        case .start: return try move(to: offset, from: 0)
        case .current: return try move(to: offset, from: position)
        case .end: return try move(to: offset, from: file.size)
        case .data, .hole:
            return try move(to: try file.seek(offset, toData: origin == .data), from: 0)
        }
    }

    override func truncate(to size: Int) throws(Errno) { try file.truncate(to: size) }

    /// What is written is where it will ever be.
    override func synchronize() throws(Errno) {}

    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        guard request == ControlRequest.readableBytes else { throw .notTerminal }
        let rest = max(0, file.size - position)
        try UserPointer<Int32>(argument).store(Int32(clamping: rest))
        return 0
    }

    override var mappable: (any Mappable)? { file }
}
