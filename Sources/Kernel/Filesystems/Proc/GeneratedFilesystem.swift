import LinuxABI

/// A file system whose files are written when they are read: /proc and /sys.
///
/// What there is stands in tables of rows, one a file, with paths; directories follow from them.
struct GeneratedRow {
    typealias Generator = (inout TextBuffer, Process) throws(Errno) -> Void
    typealias Writer = (UnsafeRawBufferPointer, Process) throws(Errno) -> Void

    enum Kind {
        case file(Generator)
        /// A file that can be written, whole.
        case writable(Generator, Writer)
        /// A symbolic link with a text.
        case link(Generator)
        /// A symbolic link that leads to a file itself.
        case jump(Generator, (Process) throws(Errno) -> Dentry)
        case directory(DynamicDirectory)
    }

    let path: StaticString
    let permissions: UInt32
    let kind: Kind

    init(_ path: StaticString, _ permissions: UInt32 = 0o444, _ kind: Kind) {
        self.path = path
        self.permissions = permissions
        self.kind = kind
    }

    init(_ path: StaticString, _ permissions: UInt32 = 0o444, _ generator: @escaping Generator) {
        self.init(path, permissions, .file(generator))
    }

    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: path.utf8Start, count: path.utf8CodeUnitCount)
    }

    /// The component after `prefix`, which ends in a slash or is empty; nil when it is not below.
    func component(below prefix: [UInt8]) -> UnsafeRawBufferPointer? {
        let path = bytes
        guard path.count > prefix.count else { return nil }
        for index in prefix.indices where path[index] != prefix[index] { return nil }
        var end = prefix.count
        while end < path.count, path[end] != 0x2f { end += 1 }
        return UnsafeRawBufferPointer(rebasing: path[prefix.count..<end])
    }
}

/// Directories whose names are not known before.
enum DynamicDirectory {
    case descriptors, descriptorInformation, tasks
    case disks, disksByNumber
}

/// A file system of rows.
final class GeneratedFilesystem: Filesystem {
    /// A number that stays for a row, a process and one more thing.
    static func inode(_ row: Int, _ process: Process?, _ detail: Int = 0) -> UInt64 {
        UInt64(row + 2) | UInt64(detail & 0x1f_ffff) << 12
            | UInt64(UInt32(bitPattern: process?.id ?? 0)) << 33
    }
}

/// A directory of rows, with what is not in them added by those who override it.
class GeneratedDirectory: Inode {
    /// Nil while nobody has looked.
    private var known: [GeneratedRow]?
    let prefix: [UInt8]
    /// Whose files these are; nil for those of the whole system.
    unowned(unsafe) let process: Process?

    init(
        _ filesystem: Filesystem,
        _ rows: [GeneratedRow]?,
        prefix: [UInt8] = [],
        process: Process? = nil,
        number: UInt64
    ) {
        known = rows
        self.prefix = prefix
        self.process = process
        super.init(
            filesystem,
            number: number,
            mode: FileMode(.directory, permissions: 0o555),
            user: process?.credentials.effectiveUser ?? 0,
            group: process?.credentials.effectiveGroup ?? 0
        )
        links = 2
    }

    final var rows: [GeneratedRow] {
        if let known { return known }
        let made = makeRows()
        known = made
        return made
    }

    /// The rows of a directory that was made without: most programs look at few.
    func makeRows() -> [GeneratedRow] { [] }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        DirectoryFile(dentry, flags)
    }

    override func create(_ name: Name, in directory: Dentry, _ node: NewNode)
        throws(Errno) -> Dentry
    {
        throw .noSuchFileOrDirectory
    }

    override func find(_ name: Name, in directory: Dentry, _ keeper: inout Dentry?)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        guard let inode = try child(name) else { return nil }
        let dentry = try Dentry(name, inode, in: directory)
        keeper = dentry
        return Unmanaged.passUnretained(dentry)
    }

    /// The inode of a name, or nil.
    func child(_ name: Name) throws(Errno) -> Inode? {
        for (index, row) in rows.enumerated() {
            guard let component = row.component(below: prefix),
                name.equals(
                    component.baseAddress!.assumingMemoryBound(to: UInt8.self),
                    component.count
                )
            else { continue }
            return make(index, row, component)
        }
        return nil
    }

    private func make(_ index: Int, _ row: GeneratedRow, _ component: UnsafeRawBufferPointer)
        -> Inode
    {
        let end = prefix.count + component.count
        if end < row.bytes.count {
            // A number of its own: that of the first row below, and its depth.
            return GeneratedDirectory(
                filesystem,
                rows,
                prefix: Array(row.bytes[..<(end + 1)]),
                process: process,
                number: GeneratedFilesystem.inode(index, process, end)
            )
        }
        let number = GeneratedFilesystem.inode(index, process)
        if case .directory(let kind) = row.kind {
            return ProcFilesystem.directory(kind, filesystem, process, number)
        }
        return GeneratedFile(filesystem, row, process, number)
    }

    override func nextEntry(_ position: inout UInt64, in directory: Dentry)
        throws(Errno) -> DirectoryEntry?
    {
        while position >= 2, position - 2 < UInt64(rows.count) {
            let index = Int(position - 2)
            position += 1
            guard let component = rows[index].component(below: prefix),
                !isRepeated(index, component)
            else { continue }
            let inode = make(index, rows[index], component)
            return DirectoryEntry(
                name: Name(component),
                inode: inode.number,
                kind: inode.mode.kind!,
                keeper: nil
            )
        }
        return nil
    }

    /// Whether a row before has the same component.
    private func isRepeated(_ index: Int, _ component: UnsafeRawBufferPointer) -> Bool {
        let name = Name(component)
        for row in rows[..<index] {
            guard let other = row.component(below: prefix) else { continue }
            if name.equals(other.baseAddress!.assumingMemoryBound(to: UInt8.self), other.count) {
                return true
            }
        }
        return false
    }
}

/// A file or link of a row.
final class GeneratedFile: Inode {
    let row: GeneratedRow
    unowned(unsafe) private let owner: Process?
    private let ownerID: Int32

    init(_ filesystem: Filesystem, _ row: GeneratedRow, _ process: Process?, _ number: UInt64) {
        self.row = row
        owner = process
        ownerID = process?.id ?? 0
        var kind = FileKind.regular
        switch row.kind {
        case .link, .jump: kind = .symbolicLink
        default: break
        }
        // Those of a process that is not to be looked into are root's: proc(5), "/proc/pid".
        let owner = process?.attributes.isDumpable == true ? process?.credentials : nil
        super.init(
            filesystem,
            number: number,
            mode: FileMode(kind, permissions: row.permissions),
            user: owner?.effectiveUser ?? 0,
            group: owner?.effectiveGroup ?? 0
        )
    }

    /// Throws `noSuchProcess` when it is gone.
    private func process() throws(Errno) -> Process {
        guard let owner else { return Process.current }
        guard ProcessTable.process(ownerID) === owner else { throw .noSuchProcess }
        return owner
    }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        GeneratedOpenFile(self, dentry, flags)
    }

    override func readLink(into text: inout TextBuffer) throws(Errno) {
        switch row.kind {
        case .link(let generator), .jump(let generator, _): try generator(&text, try process())
        default: throw .invalidArgument
        }
    }

    override func jump() throws(Errno) -> Dentry? {
        guard case .jump(_, let target) = row.kind else { return nil }
        return try target(try process())
    }

    /// Opening with O_TRUNC changes nothing.
    override func truncate(to size: Int) throws(Errno) {}

    func generate(into text: inout TextBuffer) throws(Errno) {
        switch row.kind {
        case .file(let generator), .writable(let generator, _): try generator(&text, try process())
        default: throw .invalidArgument
        }
    }

    func accept(_ bytes: UnsafeRawBufferPointer) throws(Errno) {
        guard case .writable(_, let writer) = row.kind else { throw .inputOutputError }
        try writer(bytes, try process())
    }
}

/// A generated file that is open: written anew whenever it is read from its beginning.
final class GeneratedOpenFile: OpenFile {
    private let file: GeneratedFile
    private var text: TextBuffer?

    init(_ file: GeneratedFile, _ dentry: Dentry, _ flags: OpenFlags) {
        self.file = file
        super.init(flags: flags, traits: .seekable, dentry: dentry)
    }

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        if position == 0 || text == nil {
            var fresh = TextBuffer()
            try file.generate(into: &fresh)
            text = fresh
        }
        let bytes = text!.bytes
        guard position < bytes.count else { return 0 }
        var count = 0
        var failure: Errno? = nil
        bytes.withUnsafeBytes { bytes in
            do throws(Errno) {
                count = try transfer.give(
                    bytes.baseAddress! + position,
                    min(transfer.remaining, bytes.count - position)
                )
            } catch { failure = error }
        }
        if let failure { throw failure }
        position += count
        return count
    }

    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        // As proc's own writers: a line, and not more than a page.
        let count = min(transfer.remaining, pageSize)
        let buffer = try KernelBuffer(count)
        let taken = try transfer.take(buffer.bytes.baseAddress!, count)
        try file.accept(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<taken]))
        position += taken
        return taken
    }
}
