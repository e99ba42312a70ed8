import LinuxABI

/// tmpfs: files that live in the machine's memory, with what another layer holds under them.
///
/// A lower layer (an image, the program's file) is not a file system of its own here: a directory
/// knows what it still has below, and takes a name over when it is first looked up; a file reads
/// what it never wrote from below. So a file keeps its inode number, its hard links and its open
/// files when it is written, and renaming a directory copies nothing.
final class MemoryFilesystem: Filesystem {
    static let magicNumber: Int64 = 0x0102_1994

    /// Pages that files may take, and take.
    var pageLimit: Int
    /// Whether somebody said how many.
    var hasOwnLimit = false
    /// Those that the root had at first.
    var rootPermissions: UInt32
    var rootOwner: (user: UInt32, group: UInt32) = (0, 0)
    private(set) var usedPages = 0

    /// Throws `noMemory`.
    init(
        _ name: StaticString = "tmpfs",
        magic: Int64 = MemoryFilesystem.magicNumber,
        mode: UInt32 = 0o1777,
        over lower: LowerDirectory? = nil
    ) throws(Errno) {
        // As Linux: half of the memory.
        pageLimit = FrameAllocator.totalFrames / 2
        rootPermissions = mode
        super.init(name, magic: magic)
        let node = NewNode(mode: FileMode(.directory, permissions: mode), user: 0, group: 0)
        root = try Dentry(Name("/"), try MemoryDirectory(self, node, over: lower), in: nil)
    }

    override var keepsAttributes: Bool { true }

    /// Takes pages for a file. Throws `noSpace`.
    func take(_ pages: Int) throws(Errno) {
        guard pages <= pageLimit - usedPages else { throw .noSpace }
        usedPages += pages
    }

    func give(_ pages: Int) { usedPages -= pages }

    override func appendOptions(to text: inout TextBuffer) {
        if hasOwnLimit {
            text.append(",size=")
            text.append(pageLimit * 4)
            text.append("k")
        }
        if rootPermissions != 0o1777 {
            text.append(",mode=")
            text.append(UInt64(rootPermissions), base: 8)
        }
        if rootOwner.user != 0 {
            text.append(",uid=")
            text.append(rootOwner.user)
        }
        if rootOwner.group != 0 {
            text.append(",gid=")
            text.append(rootOwner.group)
        }
    }

    override func status() -> FilesystemStatusRecord {
        var record = super.status()
        record.blocks = UInt64(pageLimit)
        record.freeBlocks = UInt64(max(0, min(pageLimit - usedPages, FrameAllocator.freeFrames)))
        record.availableBlocks = record.freeBlocks
        record.files = record.blocks
        record.freeFiles = record.freeBlocks
        return record
    }

    /// Makes the inode of a new name.
    func make(_ node: NewNode) throws(Errno) -> Inode {
        switch node.mode.kind {
        case .directory: return try MemoryDirectory(self, node)
        case .regular: return MemoryFile(self, node)
        case .symbolicLink: return SymbolicLink(self, node)
        default: return SpecialFile(self, node)
        }
    }
}

/// A symbolic link.
final class SymbolicLink: Inode {
    private let target: [UInt8]

    init(_ filesystem: Filesystem, _ node: NewNode) {
        target = Array(node.target)
        super.init(
            filesystem,
            number: filesystem.newInodeNumber(),
            mode: node.mode,
            user: node.user,
            group: node.group
        )
        size = target.count
    }

    override func readLink(into text: inout TextBuffer) throws(Errno) { text.append(target) }
}

/// A FIFO, a socket's name or a device node.
final class SpecialFile: Inode {
    /// The socket that has the name, for as long as it lives.
    @Lent var socket: UnixSocket?

    init(_ filesystem: Filesystem, _ node: NewNode) {
        super.init(
            filesystem,
            number: filesystem.newInodeNumber(),
            mode: node.mode,
            user: node.user,
            group: node.group
        )
        device = node.device
    }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        let isDevice = mode.isKind(.characterDevice) || mode.isKind(.blockDevice)
        if isDevice, dentry.mount?.mountOptions.contains(.noDevices) == true {
            throw .permissionDenied
        }
        switch mode.kind {
        case .pipe: return try Pipe.open(self, dentry, flags)
        case .characterDevice: return try CharacterDevices.open(device, dentry, flags)
        case .blockDevice: return try Disks.open(device, dentry, flags)
        default: throw .noSuchDeviceOrAddress
        }
    }
}
