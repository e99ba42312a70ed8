import LinuxABI

/// A file apart from its names: attributes, and what its file system can do with it.
public class Inode {
    unowned(unsafe) public final let filesystem: Filesystem
    public final let number: UInt64
    public final var mode: FileMode
    public final var user: UInt32
    public final var group: UInt32
    public final var links: UInt32 = 1
    /// Bytes.
    public internal(set) final var size = 0
    public final var accessTime: FileTime
    public final var modificationTime: FileTime
    public final var changeTime: FileTime
    public final var birthTime: FileTime
    /// What a device node names.
    public final var device: UInt64 = 0
    /// flock(2) and open-file-description locks; made by the first.
    final var locks: FileLocks?
    /// How often the file is open for writing, or below zero how many programs run from it: Linux
    /// lets no one do both, ETXTBSY.
    final var writers: Int32 = 0
    /// What a FIFO's open files share.
    final var pipe: Pipe?
    /// Made by the first; only where the file system keeps them.
    final var attributes: ExtendedAttributes?
    /// Who is to be told what becomes of it: inotify(7).
    final var firstWatch: Unmanaged<Watch>?

    init(_ filesystem: Filesystem, number: UInt64, mode: FileMode, user: UInt32, group: UInt32) {
        self.filesystem = filesystem
        self.number = number
        self.mode = mode
        self.user = user
        self.group = group
        let time = CoarseClock.now()
        accessTime = time
        modificationTime = time
        changeTime = time
        birthTime = time
    }

    // MARK: Attributes

    /// As stat(2): fills a new status.
    @_optimize(speed)
    public func fill(_ status: inout FileStatus) throws(Errno) {
        status.blocks = Int64(blocks)
        status.device = filesystem.device
        status.inode = number
        status.links = UInt64(links)
        // Read together, they are written as the one word as which they are copied.
        let (mode, user) = (mode.rawValue, user)
        status.mode = mode
        status.user = user
        status.group = group
        status.specialDevice = device
        status.size = Int64(size)
        status.accessTime = accessTime
        status.modificationTime = modificationTime
        status.changeTime = changeTime
        status.birthTime = birthTime
    }

    /// Units of 512 bytes that the contents take.
    var blocks: Int { 0 }

    /// Whether names, contents and attributes may change.
    func requireWritable() throws(Errno) {
        guard !filesystem.isReadOnly else { throw .readOnlyFileSystem }
    }

    /// Throws `textFileBusy` while a program runs from the file.
    @inline(__always)
    final func requireNotExecuting() throws(Errno) {
        guard writers >= 0 else { throw .textFileBusy }
    }

    /// Takes new attributes; the caller checked that it may.
    func setAttributes(_ change: AttributeChange) throws(Errno) {
        if let permissions = change.permissions { mode.permissions = permissions }
        if let user = change.user { self.user = user }
        if let group = change.group { self.group = group }
        if let time = change.accessTime { accessTime = time }
        if let time = change.modificationTime { modificationTime = time }
        changeTime = CoarseClock.now()
    }

    // MARK: Directories

    /// Lends the dentry of a name, or nil. What is not in a table is put into `keeper`.
    func find(_ name: Name, in directory: Dentry, _ keeper: inout Dentry?)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        throw .notDirectory
    }

    /// The first name at or after a position, and moves the position behind it.
    func nextEntry(_ position: inout UInt64, in directory: Dentry) throws(Errno) -> DirectoryEntry?
    {
        throw .notDirectory
    }

    func create(_ name: Name, in directory: Dentry, _ node: NewNode) throws(Errno) -> Dentry {
        throw .notPermitted
    }

    func link(_ inode: Inode, as name: Name, in directory: Dentry) throws(Errno) {
        throw .notPermitted
    }

    /// Removes a name; the caller checked its kind.
    func remove(_ dentry: Dentry) throws(Errno) { throw .notPermitted }

    /// Moves `source` here under `name`, over `target` when there is one.
    func rename(
        _ source: Dentry,
        from: Dentry,
        to directory: Dentry,
        as name: Name,
        over target: Dentry?,
        exchanging: Bool
    ) throws(Errno) { throw .notPermitted }

    /// As fsync(2) of a directory.
    func synchronize() throws(Errno) {}

    func requireEmpty() throws(Errno) { throw .notDirectory }

    /// Takes any name out of the directory's table, which is given up; nil when none is left.
    func takeEntry() -> Dentry? { nil }

    // MARK: Contents

    /// As readlink(2), in full.
    func readLink(into text: inout TextBuffer) throws(Errno) { throw .invalidArgument }

    /// Where a link leads that is no path but a file itself, as those of /proc/PID/fd.
    func jump() throws(Errno) -> Dentry? { nil }

    /// Opens the file; permissions are checked.
    func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        throw .noSuchDeviceOrAddress
    }

    /// Reads into the kernel's memory, as pread(2); less at the end of the file.
    public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(Errno) -> Int
    {
        throw .invalidArgument
    }

    /// As truncate(2); the caller checked the size and that it may.
    func truncate(to size: Int) throws(Errno) { throw .invalidArgument }
}

/// A name as readdir(3) tells it; the bytes are the file system's and soon gone.
struct DirectoryEntry {
    var name: Name
    var inode: UInt64
    var kind: FileKind
    /// Keeps the name while it is copied.
    var keeper: Dentry?
}

/// What a new name is to be.
struct NewNode {
    var mode: FileMode
    var user: UInt32
    var group: UInt32
    var device: UInt64 = 0
    /// What a symbolic link holds.
    var target = UnsafeRawBufferPointer(start: nil, count: 0)
}

/// Attributes to set; those that are nil stay.
struct AttributeChange {
    var permissions: UInt32?
    var user: UInt32?
    var group: UInt32?
    var accessTime: FileTime?
    var modificationTime: FileTime?
}
