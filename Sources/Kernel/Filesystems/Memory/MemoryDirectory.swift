import LinuxABI

/// A directory of tmpfs.
final class MemoryDirectory: Inode {
    unowned(unsafe) let memory: MemoryFilesystem
    private var entries: EntryTable
    /// Names with an inode.
    private var nameCount = 0
    /// What the layer below has and no lookup has taken over yet.
    private var lower: LowerDirectory?

    init(_ filesystem: MemoryFilesystem, _ node: NewNode, over lower: LowerDirectory? = nil)
        throws(Errno)
    {
        memory = filesystem
        entries = try EntryTable()
        self.lower = lower
        super.init(
            filesystem,
            number: filesystem.newInodeNumber(),
            mode: node.mode,
            user: node.user,
            group: node.group
        )
        links = 2
    }

    /// Puts a directory of a layer below under this one, which is empty.
    func setLower(_ lower: LowerDirectory) { self.lower = lower }

    override var blocks: Int { 0 }

    override func fill(_ status: inout FileStatus) throws(Errno) {
        try super.fill(&status)
        // As Linux's tmpfs counts: 20 bytes an entry.
        status.size = Int64(nameCount * 20 + 40)
    }

    // MARK: Looking up

    @_optimize(speed)
    override func find(_ name: Name, in directory: Dentry, _ keeper: inout Dentry?)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        if let dentry = entries.find(name) {
            return dentry._withUnsafeGuaranteedRef { $0.inode != nil } ? dentry : nil
        }
        guard let lower else { return nil }
        return try takeOver(name, lower, directory)
    }

    @inline(never)
    private func takeOver(_ name: Name, _ lower: LowerDirectory, _ directory: Dentry)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        guard let inode = try lower.find(name, memory) else { return nil }
        return try adopt(inode, name, directory)
    }

    private func adopt(_ inode: Inode, _ name: Name, _ directory: Dentry)
        throws(Errno) -> Unmanaged<Dentry>
    {
        let dentry = try Dentry(name, inode, in: directory)
        try entries.insert(dentry)
        nameCount += 1
        return Unmanaged.passUnretained(dentry)
    }

    /// Takes over all that is below, so that the names have an order and whiteouts an end.
    private func takeOverAll(_ directory: Dentry) throws(Errno) {
        guard let lower else { return }
        var position = 0
        while let bytes = try lower.next(&position) {
            try withName(bytes) { (name) throws(Errno) in
                guard entries.find(name) == nil else { return }
                _ = try adopt(try lower.makeLast(memory), name, directory)
            }
        }
        self.lower = nil
    }

    private func withName(_ bytes: [UInt8], _ body: (Name) throws(Errno) -> Void) throws(Errno) {
        var failure: Errno? = nil
        bytes.withUnsafeBytes { bytes in
            do throws(Errno) { try body(Name(bytes)) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    override func nextEntry(_ position: inout UInt64, in directory: Dentry)
        throws(Errno) -> DirectoryEntry?
    {
        try takeOverAll(directory)
        guard let dentry = entries.next(from: position) else { return nil }
        position = dentry.sequence + 1
        return DirectoryEntry(
            name: dentry.nameView,
            inode: dentry.inode!.number,
            kind: dentry.inode!.mode.kind ?? .regular,
            keeper: dentry
        )
    }

    override func requireEmpty() throws(Errno) {
        if nameCount == 0, let lower {
            var position = 0
            while let bytes = try lower.next(&position) {
                try withName(bytes) { (name) throws(Errno) in
                    guard entries.find(name) != nil else { throw .directoryNotEmpty }
                }
            }
        }
        guard nameCount == 0 else { throw .directoryNotEmpty }
    }

    /// The first dentry that fulfils a condition, of names that were looked up.
    func firstEntry(where condition: (Dentry) -> Bool) -> Dentry? {
        var position: UInt64 = 2
        while let dentry = entries.next(from: position) {
            if condition(dentry) { return dentry }
            position = dentry.sequence + 1
        }
        return nil
    }

    override func takeEntry() -> Dentry? { entries.takeLast() }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        DirectoryFile(dentry, flags)
    }

    // MARK: Changing

    override func create(_ name: Name, in directory: Dentry, _ node: NewNode)
        throws(Errno) -> Dentry
    {
        let inode = try memory.make(node)
        let dentry = try add(inode, name, directory)
        if inode.mode.isDirectory { links += 1 }
        return dentry
    }

    override func link(_ inode: Inode, as name: Name, in directory: Dentry) throws(Errno) {
        try add(inode, name, directory)
        inode.links += 1
        inode.changeTime = CoarseClock.now()
    }

    /// Adds a name, in place of a whiteout if there is one.
    @discardableResult
    private func add(_ inode: Inode, _ name: Name, _ directory: Dentry) throws(Errno) -> Dentry {
        let dentry = try Dentry(name, inode, in: directory)
        try entries.reserve()
        removeWhiteout(name)
        try entries.insert(dentry)
        nameCount += 1
        stamp()
        return dentry
    }

    private func removeWhiteout(_ name: Name) {
        guard let old = entries.find(name)?.takeUnretainedValue(), old.inode == nil else { return }
        entries.remove(old)
    }

    override func remove(_ dentry: Dentry) throws(Errno) {
        let inode = dentry.inode!
        try takeOut(dentry)
        dentry.isRemoved = true
        if inode.mode.isDirectory {
            links -= 1
            inode.links = 0
        } else {
            inode.links -= 1
        }
        inode.changeTime = modificationTime
    }

    /// Takes a name out, leaving a whiteout where the layer below may have it.
    private func takeOut(_ dentry: Dentry) throws(Errno) {
        if lower != nil {
            let whiteout = try Dentry(dentry.nameView, nil, in: nil)
            try entries.reserve()
            entries.remove(dentry)
            try entries.insert(whiteout)
        } else {
            entries.remove(dentry)
        }
        nameCount -= 1
        stamp()
    }

    private func stamp() {
        modificationTime = CoarseClock.now()
        changeTime = modificationTime
    }

    override func rename(
        _ source: Dentry,
        from oldDirectory: Dentry,
        to directory: Dentry,
        as name: Name,
        over target: Dentry?,
        exchanging: Bool
    ) throws(Errno) {
        guard let old = oldDirectory.inode as? MemoryDirectory else { throw .crossDeviceLink }
        if exchanging, let target {
            return try exchange(source, old, oldDirectory, target, directory)
        }
        // What can fail comes first.
        let moved = source
        try entries.reserve()
        if let target { try remove(target) }
        try old.takeOut(moved)
        try moved.move(to: name, in: directory)
        removeWhiteout(name)
        try entries.insert(moved)
        nameCount += 1
        stamp()
        if moved.inode!.mode.isDirectory, old !== self {
            old.links -= 1
            links += 1
        }
        moved.inode!.changeTime = changeTime
    }

    private func exchange(
        _ source: Dentry,
        _ old: MemoryDirectory,
        _ oldDirectory: Dentry,
        _ target: Dentry,
        _ directory: Dentry
    ) throws(Errno) {
        let first = source.inode!
        let second = target.inode!
        // A directory's children know its dentry: the dentries move, not the inodes.
        let firstName = try Dentry(source.nameView, nil, in: nil)
        try old.entries.reserve()
        try entries.reserve()
        old.entries.remove(source)
        entries.remove(target)
        try source.move(to: target.nameView, in: directory)
        try target.move(to: firstName.nameView, in: oldDirectory)
        try entries.insert(source)
        try old.entries.insert(target)
        if old !== self {
            if first.mode.isDirectory { moveLink(from: old, to: self) }
            if second.mode.isDirectory { moveLink(from: self, to: old) }
        }
        stamp()
        old.stamp()
        first.changeTime = changeTime
        second.changeTime = changeTime
    }

    private func moveLink(from: MemoryDirectory, to: MemoryDirectory) {
        from.links -= 1
        to.links += 1
    }

    /// Adds what the kernel puts there itself, such as the program's file.
    func addFixed(_ inode: Inode, _ name: Name, in directory: Dentry) throws(Errno) {
        if let old = entries.find(name)?.takeUnretainedValue(), old.inode != nil {
            try remove(old)
        }
        try add(inode, name, directory)
        if inode.mode.isDirectory { links += 1 }
    }
}

/// A directory of a layer below.
class LowerDirectory {
    /// Makes the inode of a name in the upper file system, or nil.
    func find(_ name: Name, _ filesystem: MemoryFilesystem) throws(Errno) -> Inode? { nil }

    /// The name at a position, which moves on; `.` and `..` are left out.
    func next(_ position: inout Int) throws(Errno) -> [UInt8]? { nil }

    /// Makes the inode of the name that `next` gave.
    func makeLast(_ filesystem: MemoryFilesystem) throws(Errno) -> Inode {
        throw .inputOutputError
    }
}

/// The contents of a file of a layer below.
class LowerFile {
    /// Bytes.
    var size: Int { 0 }
    /// Fills `buffer`, which ends at or before `size`.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {}
    /// The image whose pages hold `count` bytes at `offset` in one piece, page-aligned, and where.
    func image(at offset: Int, count: Int) -> (image: UInt32, offset: UInt64)? { nil }
}

/// A text that a file begins with. It takes no page until somebody writes to it or maps it.
final class TextFile: LowerFile {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    override var size: Int { bytes.count }

    override func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) {
        bytes[offset..<offset + buffer.count].withUnsafeBytes { buffer.copyMemory(from: $0) }
    }
}
