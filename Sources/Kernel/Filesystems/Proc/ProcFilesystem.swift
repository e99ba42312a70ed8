import LinuxABI

/// proc(5)
enum ProcFilesystem {
    static func make() throws(Errno) -> Filesystem {
        let filesystem = GeneratedFilesystem("proc", magic: 0x9fa0)
        let directory = ProcRoot(filesystem, nil, number: GeneratedFilesystem.inode(-1, nil))
        filesystem.root = try Dentry(Name("/"), directory, in: nil)
        return filesystem
    }

    static func directory(
        _ kind: DynamicDirectory,
        _ filesystem: Filesystem,
        _ process: Process?,
        _ number: UInt64
    ) -> Inode {
        switch kind {
        case .descriptors:
            DescriptorDirectory(filesystem, process!, number, isInformation: false)
        case .descriptorInformation:
            DescriptorDirectory(filesystem, process!, number, isInformation: true)
        case .tasks: TaskDirectory(filesystem, [], process: process!, number: number)
        case .disks: DiskDirectory(filesystem, number, isByNumber: false)
        case .disksByNumber: DiskDirectory(filesystem, number, isByNumber: true)
        }
    }

    /// The number that a name is, or nil.
    static func number(_ name: Name) -> Int32? {
        guard name.count <= 9, name.count > 0 else { return nil }
        var value: Int32 = 0
        for byte in name.buffer {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int32(byte - 0x30)
        }
        guard name.count == 1 || name.bytes[0] != 0x30 else { return nil }
        return value
    }

    /// An entry whose name is a number; the text lives as long as the kernel's next such entry.
    static func numberedEntry(_ number: Int32, _ inode: UInt64, _ kind: FileKind)
        throws(Errno) -> DirectoryEntry
    {
        var text = TextBuffer()
        text.append(number)
        return try entry(text.bytes, inode, kind)
    }

    /// An entry whose name is made up; it lives as `numberedEntry` says.
    static func entry(_ name: [UInt8], _ inode: UInt64, _ kind: FileKind)
        throws(Errno) -> DirectoryEntry
    {
        let keeper = try dentry(name, nil, in: nil)
        return DirectoryEntry(name: keeper.nameView, inode: inode, kind: kind, keeper: keeper)
    }

    /// A name that is a number.
    static func numberedDentry(_ number: Int32, _ inode: Inode?, in directory: Dentry?)
        throws(Errno) -> Dentry
    {
        var text = TextBuffer()
        text.append(number)
        return try dentry(text.bytes, inode, in: directory)
    }

    private static func dentry(_ name: [UInt8], _ inode: Inode?, in directory: Dentry?)
        throws(Errno) -> Dentry
    {
        var dentry: Dentry? = nil
        var failure: Errno? = nil
        name.withUnsafeBytes { bytes in
            do throws(Errno) { dentry = try Dentry(Name(bytes), inode, in: directory) } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return dentry!
    }
}

/// The root: the system's files, and a directory for each process.
private final class ProcRoot: GeneratedDirectory {
    override func makeRows() -> [GeneratedRow] {
        ProcFilesystem.systemRows() + ProcFilesystem.systemVRows()
    }

    override func child(_ name: Name) throws(Errno) -> Inode? {
        if let found = try super.child(name) { return found }
        guard let id = ProcFilesystem.number(name), let process = ProcessTable.process(id) else {
            return nil
        }
        return ProcessDirectory(filesystem, process)
    }

    override func nextEntry(_ position: inout UInt64, in directory: Dentry)
        throws(Errno) -> DirectoryEntry?
    {
        if let entry = try super.nextEntry(&position, in: directory) { return entry }
        let firstID = Int64(clamping: position) - 2 - Int64(rows.count)
        var next: Process?
        ProcessTable.forEach { process in
            guard Int64(process.id) >= firstID, process.id < next?.id ?? .max else { return }
            next = process
        }
        guard let next else { return nil }
        position = UInt64(Int64(next.id) + 3 + Int64(rows.count))
        return try ProcFilesystem.numberedEntry(
            next.id,
            GeneratedFilesystem.inode(-1, next),
            .directory
        )
    }
}

/// /proc/PID
final class ProcessDirectory: GeneratedDirectory {
    private let id: Int32
    private let startTime: Nanoseconds

    init(_ filesystem: Filesystem, _ process: Process) {
        id = process.id
        startTime = process.startTime
        super.init(
            filesystem,
            ProcFilesystem.processRows(),
            process: process,
            number: GeneratedFilesystem.inode(-1, process)
        )
    }

    /// Throws `noSuchProcess` when it was waited for.
    func target() throws(Errno) -> Process {
        try ProcessTable.process(id, startedAt: startTime)
    }
}

/// /proc/PID/task
private final class TaskDirectory: GeneratedDirectory {
    override func child(_ name: Name) throws(Errno) -> Inode? {
        guard let id = ProcFilesystem.number(name) else { return nil }
        var found = false
        process!.forEachThread { if $0.id == id { found = true } }
        guard found else { return nil }
        return GeneratedDirectory(
            filesystem,
            ProcFilesystem.processRows(thread: id),
            process: process,
            number: GeneratedFilesystem.inode(-1, process, Int(id))
        )
    }

    override func nextEntry(_ position: inout UInt64, in directory: Dentry)
        throws(Errno) -> DirectoryEntry?
    {
        let firstID = Int64(clamping: position) - 2
        var next: Int32?
        process!.forEachThread { thread in
            guard Int64(thread.id) >= firstID, thread.id < next ?? .max else { return }
            next = thread.id
        }
        guard let next else { return nil }
        position = UInt64(next) + 3
        return try ProcFilesystem.numberedEntry(
            next,
            GeneratedFilesystem.inode(-1, process, Int(next)),
            .directory
        )
    }
}

/// /proc/PID/fd and fdinfo
private final class DescriptorDirectory: Inode {
    unowned(unsafe) let process: Process
    let isInformation: Bool

    init(
        _ filesystem: Filesystem,
        _ process: Process,
        _ number: UInt64,
        isInformation: Bool
    ) {
        self.process = process
        self.isInformation = isInformation
        super.init(
            filesystem,
            number: number,
            mode: FileMode(.directory, permissions: isInformation ? 0o555 : 0o500),
            user: process.credentials.effectiveUser,
            group: process.credentials.effectiveGroup
        )
        links = 2
    }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        DirectoryFile(dentry, flags)
    }

    override func find(_ name: Name, in directory: Dentry, _ keeper: inout Dentry?)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        guard let number = ProcFilesystem.number(name), let table = process.descriptors,
            let file = table.find(FileDescriptor(number))?.takeUnretainedValue()
        else { return nil }
        let dentry = try Dentry(name, inode(number, file), in: directory)
        keeper = dentry
        return Unmanaged.passUnretained(dentry)
    }

    private func inode(_ number: Int32, _ file: OpenFile) -> Inode {
        let own = self.number &+ UInt64(number + 1) << 12
        guard isInformation else { return DescriptorLink(filesystem, file, process, own) }
        let row = GeneratedRow("", 0o444) { (text, _) throws(Errno) in
            ProcFilesystem.describe(file, into: &text)
        }
        return GeneratedFile(filesystem, row, process, own)
    }

    override func nextEntry(_ position: inout UInt64, in directory: Dentry)
        throws(Errno) -> DirectoryEntry?
    {
        let start = Int(clamping: position) - 2
        guard let next = process.descriptors?.next(from: start) else { return nil }
        position = UInt64(next + 3)
        return try ProcFilesystem.numberedEntry(
            Int32(next),
            number &+ UInt64(next + 1) << 12,
            isInformation ? .regular : .symbolicLink
        )
    }
}

extension ProcFilesystem {
    /// /proc/PID/fdinfo/N
    static func describe(_ file: OpenFile, into text: inout TextBuffer) {
        text.append("pos:\t")
        text.append(file.position)
        text.append("\nflags:\t0")
        text.append(UInt64(file.statusFlags.rawValue), base: 8)
        text.append("\nmnt_id:\t")
        text.append(file.dentry?.mount?.mountID ?? 0)
        text.append("\nino:\t")
        text.append((try? file.status())?.inode ?? 0)
        text.append("\n")
        file.appendInformation(to: &text)
    }
}

/// A link of /proc/PID/fd: it leads to the open file's own file, whatever its text says.
private final class DescriptorLink: Inode {
    private let file: OpenFile

    init(_ filesystem: Filesystem, _ file: OpenFile, _ process: Process, _ number: UInt64) {
        self.file = file
        var permissions: UInt32 = 0o100
        if file.flags.isReadable { permissions |= 0o400 }
        if file.flags.isWritable { permissions |= 0o200 }
        super.init(
            filesystem,
            number: number,
            mode: FileMode(.symbolicLink, permissions: permissions),
            user: process.credentials.effectiveUser,
            group: process.credentials.effectiveGroup
        )
        size = 64
    }

    override func readLink(into text: inout TextBuffer) throws(Errno) {
        file.appendPath(to: &text)
    }

    override func jump() throws(Errno) -> Dentry? {
        if let dentry = file.dentry { return dentry }
        return try Dentry(
            Name("anonymous"),
            OpenFileInode(filesystem, file, try file.status()),
            in: nil
        )
    }
}

/// What stands for a file without a name when it is reached through /proc/PID/fd.
private final class OpenFileInode: Inode {
    private let file: OpenFile

    init(_ filesystem: Filesystem, _ file: OpenFile, _ status: FileStatus) {
        self.file = file
        super.init(
            filesystem,
            number: status.inode,
            mode: FileMode(rawValue: status.mode),
            user: status.user,
            group: status.group
        )
    }

    override func fill(_ status: inout FileStatus) throws(Errno) { try file.fill(&status) }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        if let stream = file as? StreamFile { return try StandardStreams.reopen(stream, flags) }
        if let end = file as? PipeFile { return PipeFile(end.pipe, flags) }
        throw .noSuchDeviceOrAddress
    }

    override func truncate(to size: Int) throws(Errno) { try file.truncate(to: size) }
}
