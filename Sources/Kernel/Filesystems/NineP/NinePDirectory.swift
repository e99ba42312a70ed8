import LinuxABI
import NineP

/// A directory of a server's.
final class NinePDirectory: NinePNode {
    /// Names that were looked up; the sequence of each is the generation at which it was right.
    private var entries: EntryTable
    /// Of the names: another one whenever they may have changed.
    private var generation: UInt64 = 0
    private var lastChange = FileTime()
    private var listing = DirectoryListing()

    init(
        _ volume: NinePFilesystem,
        _ file: UInt32,
        _ told: FileAttributes,
        _ entries: consuming EntryTable
    ) {
        self.entries = entries
        super.init(volume, file, told)
    }

    deinit {
        volume.namesRemoved(entries.count)
        listing.end(client)
    }

    // MARK: Looking up

    override func find(_ name: Name, in directory: Dentry, _ keeper: inout Dentry?)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        let known = entries.find(name)?.takeUnretainedValue()
        if let known {
            try refreshNames()
            if known.sequence == generation || known.mounted != nil {
                keeper = known
                return .passUnretained(known)
            }
        }
        return try look(name, known, directory, &keeper)
    }

    /// Asks whether the names may have changed. Those that are as old as the file system's clock is exact
    /// may change again at the same time.
    private func refreshNames() throws(Errno) {
        try refresh()
        let now = CoarseClock.now()
        let age =
            (now.seconds &- changeTime.seconds) &* 1_000_000_000
            &+ (now.nanoseconds &- changeTime.nanoseconds)
        let exactness: Int64 = 50_000_000
        if changeTime != lastChange || age < exactness { generation = volume.newGeneration() }
        lastChange = changeTime
    }

    /// Asks for a name; `known` is what it was before.
    private func look(
        _ name: Name,
        _ known: Dentry?,
        _ directory: Dentry,
        _ keeper: inout Dentry?
    ) throws(Errno) -> Unmanaged<Dentry>? {
        let found: (file: UInt32, identity: FileIdentity)
        do throws(Errno) { found = try walk(name) } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
            if let known { drop(known) }
            return nil
        }
        if let known, let node = known.inode as? NinePNode, node.isSame(found.identity) {
            node.adopt(found.file)
            known.sequence = generation
            keeper = known
            return .passUnretained(known)
        }
        if let known { drop(known) }
        let dentry = try Dentry(name, try volume.node(found), in: directory)
        try entries.insert(dentry)
        dentry.sequence = generation
        keeper = dentry
        volume.nameAdded()
        return .passUnretained(dentry)
    }

    /// A server that has no number left gets those back that are kept for nobody.
    private func walk(_ name: Name) throws(Errno) -> (file: UInt32, identity: FileIdentity) {
        do throws(Errno) { return try client.walk(file, to: name.view) } catch {
            guard error == .tooManyOpenFiles else { throw error }
        }
        volume.dropUnused()
        return try client.walk(file, to: name.view)
    }

    /// Takes out a name that does not lead there any more.
    private func drop(_ dentry: Dentry) {
        dentry.isRemoved = true
        entries.remove(dentry)
        volume.namesRemoved()
    }

    func dropUnused() { volume.namesRemoved(entries.dropUnused()) }

    override func takeEntry() -> Dentry? {
        guard let dentry = entries.takeLast() else { return nil }
        volume.namesRemoved()
        return dentry
    }

    // MARK: Listing

    override func nextEntry(_ position: inout UInt64, in directory: Dentry)
        throws(Errno) -> DirectoryEntry?
    {
        try listing.next(&position, of: self)
    }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        DirectoryFile(dentry, flags)
    }

    override func synchronize() throws(Errno) {
        let opened = try client.open(file, .directory)
        defer { client.forget(opened) }
        try client.synchronize(opened)
    }

    /// The server looks.
    override func requireEmpty() throws(Errno) {}

    // MARK: Changing

    override func create(_ name: Name, in directory: Dentry, _ node: NewNode)
        throws(Errno) -> Dentry
    {
        let opened = try make(name.view, node)
        if let known = entries.find(name)?.takeUnretainedValue() { drop(known) }
        var made: Dentry?
        do throws(Errno) {
            _ = try look(name, nil, directory, &made)
            guard made != nil else { throw .noSuchFileOrDirectory }
        } catch {
            if let opened { client.forget(opened) }
            throw error
        }
        guard let dentry = made, let inode = dentry.inode as? NinePNode else {
            throw .inputOutputError
        }
        if node.user != 0 {
            // A server that may not give files away leaves them its own.
            try? inode.setAttributes(AttributeChange(user: node.user))
        }
        if let opened {
            guard let file = inode as? NinePFile else {
                client.forget(opened)
                return dentry
            }
            file.keep(opened)
        }
        return dentry
    }

    /// Makes a name; the number of a file, which is open.
    private func make(_ name: UnsafeRawBufferPointer, _ node: NewNode) throws(Errno) -> UInt32? {
        switch node.mode.kind {
        case .regular:
            return try client.create(
                name,
                in: file,
                [.readWrite, .create, .exclusive],
                mode: node.mode.permissions,
                group: node.group
            )
        case .directory:
            try client.makeDirectory(
                name,
                in: file,
                mode: node.mode.permissions,
                group: node.group
            )
        case .symbolicLink:
            try client.makeSymbolicLink(name, in: file, to: node.target, group: node.group)
        case .pipe:
            try client.makeNode(name, in: file, mode: node.mode.rawValue, group: node.group)
        default: throw .notPermitted
        }
        return nil
    }

    override func link(_ inode: Inode, as name: Name, in directory: Dentry) throws(Errno) {
        guard let node = inode as? NinePNode else { throw .crossDeviceLink }
        try client.link(node.file, as: name.view, in: file)
        if let known = entries.find(name)?.takeUnretainedValue() { drop(known) }
        try node.refresh()
    }

    override func remove(_ dentry: Dentry) throws(Errno) {
        guard let node = dentry.inode as? NinePNode else { throw .inputOutputError }
        try client.unlink(dentry.nameBytes, in: file, isDirectory: node.mode.isDirectory)
        node.nameRemoved()
        drop(dentry)
    }

    override func rename(
        _ source: Dentry,
        from oldDirectory: Dentry,
        to directory: Dentry,
        as name: Name,
        over target: Dentry?,
        exchanging: Bool
    ) throws(Errno) {
        guard !exchanging else { throw .invalidArgument }
        guard let old = oldDirectory.inode as? NinePDirectory else { throw .crossDeviceLink }
        let moved = source
        try entries.reserve()
        try client.rename(moved.nameBytes, in: old.file, to: name.view, in: file)
        if let target {
            (target.inode as? NinePNode)?.nameRemoved()
            drop(target)
        }
        old.entries.remove(moved)
        volume.namesRemoved()
        try moved.move(to: name, in: directory)
        try entries.insert(moved)
        moved.sequence = 0
        volume.nameAdded()
    }
}

extension Name {
    /// The bytes of the name.
    var view: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }
}

/// Names that a server told of one directory, and how far they were read.
private struct DirectoryListing: ~Copyable {
    private static let size = 16 << 10

    private var memory: UnsafeMutableRawPointer?
    /// The server's number of the open directory.
    private var file: UInt32?
    private var count = 0
    private var offset = 0
    /// The position of what is at `offset`, and of what was told last and where that is.
    private var position: UInt64 = 0
    private var last: (position: UInt64, offset: Int) = (0, 0)

    /// The next name but `.` and `..`. Position 2 is the first; else they are the server's.
    mutating func next(_ position: inout UInt64, of directory: NinePDirectory)
        throws(Errno) -> DirectoryEntry?
    {
        var told: DirectoryRecord
        var turns = 0
        repeat {
            // A server that goes in circles is none.
            turns += 1
            guard turns < 64 else { throw .inputOutputError }
            guard try find(position, directory) else {
                end(directory.client)
                return nil
            }
            let rest = UnsafeRawBufferPointer(start: memory! + offset, count: count - offset)
            var reader = MessageReader(rest)
            told = try DirectoryRecord(&reader)
            last = (position, offset)
            offset += reader.position
            // 0 to 2 are the kernel's; no host's are negative.
            let next = told.next & UInt64(Int64.max)
            position = next > 2 ? next : next | 1 << 62
            self.position = position
        } while DirectoryRecord.isDots(told.name)
        return DirectoryEntry(
            name: Name(told.name),
            inode: told.identity.path,
            kind: FileKind(rawValue: told.kind) ?? .regular,
            keeper: nil
        )
    }

    /// Goes to a position, asking the server where it is not at hand; false at the end.
    private mutating func find(_ wanted: UInt64, _ directory: NinePDirectory) throws(Errno) -> Bool
    {
        if wanted != 2, memory != nil {
            if wanted == last.position {
                offset = last.offset
                return true
            }
            if wanted == position, offset < count { return true }
        }
        let client = directory.client
        if memory == nil { memory = try KernelBuffer.allocate(DirectoryListing.size) }
        let opened: UInt32
        if let file { opened = file } else { opened = try client.open(directory.file, .directory) }
        file = opened
        let start = wanted == 2 ? 0 : wanted & ~(1 << 62) <= 2 ? wanted & ~(1 << 62) : wanted
        let told = try client.readDirectory(opened, at: start, DirectoryListing.size)
        if !told.isEmpty { memory!.copyMemory(from: told.baseAddress!, byteCount: told.count) }
        count = told.count
        offset = 0
        position = wanted
        last = (0, 0)
        return count > 0
    }

    mutating func end(_ client: Client) {
        KernelBuffer.free(memory)
        memory = nil
        if let file { client.forget(file) }
        file = nil
    }
}
