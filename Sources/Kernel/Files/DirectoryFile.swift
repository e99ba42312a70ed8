import LinuxABI

/// A directory that is open.
final class DirectoryFile: OpenFile {
    init(_ dentry: Dentry, _ flags: OpenFlags) {
        super.init(flags: flags, traits: .seekable, dentry: dentry)
    }

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        throw .isDirectory
    }

    override func seek(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int {
        switch origin {
        case .start: return try move(to: offset, from: 0)
        case .current: return try move(to: offset, from: position)
        default: throw .invalidArgument
        }
    }

    override func synchronize() throws(Errno) { try dentry?.inode?.synchronize() }
}

/// How a directory's records are laid out: getdents64(2) and the older getdents(2).
public enum DirectoryRecordFormat {
    case wide, old

    var headerSize: Int { self == .wide ? 19 : 18 }
}

extension OpenFile {
    /// As getdents64(2): bytes of records given. Throws `invalidArgument` when the buffer is too
    /// small for one.
    public final func readDirectory(_ buffer: UserBuffer, _ format: DirectoryRecordFormat)
        throws(Errno) -> Int
    {
        guard !flags.contains(.path) else { throw .badDescriptor }
        guard let dentry, let inode = dentry.inode, inode.mode.isDirectory, self is DirectoryFile
        else { throw .notDirectory }
        guard !dentry.isRemoved else { throw .noSuchFileOrDirectory }
        defer { FileWatches.tell(.read, dentry) }
        var done = 0
        while true {
            var next = UInt64(position)
            guard let entry = try directoryEntry(&next, dentry, inode) else { return done }
            let size =
                (format.headerSize + entry.name.count + 1 + (format == .old ? 1 : 0) + 7) & ~7
            guard size <= buffer.count - done else {
                guard done > 0 else { throw .invalidArgument }
                return done
            }
            do throws(Errno) {
                try put(
                    entry,
                    next,
                    size,
                    format,
                    UserBuffer(
                        address: buffer.address &+ UInt(done),
                        count: size
                    )
                )
            } catch {
                guard done > 0 else { throw error }
                return done
            }
            done += size
            position = Int(next)
        }
    }

    private final func directoryEntry(_ next: inout UInt64, _ dentry: Dentry, _ inode: Inode)
        throws(Errno) -> DirectoryEntry?
    {
        switch next {
        case 0:
            next = 1
            return DirectoryEntry(
                name: Name("."),
                inode: inode.number,
                kind: .directory,
                keeper: nil
            )
        case 1:
            next = 2
            let above = dentry.above?.top.inode ?? inode
            return DirectoryEntry(
                name: Name(".."),
                inode: above.number,
                kind: .directory,
                keeper: nil
            )
        default: return try inode.nextEntry(&next, in: dentry.real)
        }
    }

    private final func put(
        _ entry: DirectoryEntry,
        _ next: UInt64,
        _ size: Int,
        _ format: DirectoryRecordFormat,
        _ target: UserBuffer
    ) throws(Errno) {
        // The longest record: a header, 255 bytes, a NUL, padding.
        var record = InlineArray<36, UInt64>(repeating: 0)
        try withUnsafeMutableBytes(of: &record) { (bytes) throws(Errno) in
            bytes.storeBytes(of: entry.inode, as: UInt64.self)
            bytes.storeBytes(of: next, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: UInt16(size), toByteOffset: 16, as: UInt16.self)
            var nameOffset = 18
            if format == .wide {
                bytes[18] = entry.kind.rawValue
                nameOffset = 19
            } else {
                bytes[size - 1] = entry.kind.rawValue
            }
            (bytes.baseAddress! + nameOffset).copyMemory(
                from: entry.name.bytes,
                byteCount: entry.name.count
            )
            try target.copyOut(UnsafeRawBufferPointer(rebasing: bytes[..<size]))
        }
    }
}
