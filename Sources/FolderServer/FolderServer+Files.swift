import Glibc
import LinuxABI
import NineP
import TenderSupport

/// Attributes and contents.
extension FolderServer {
    // MARK: Attributes

    func attributes(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let status = try status(of: try place(&reader))
        var told = FileAttributes()
        told.identity = identity(status)
        told.mode = status.st_mode
        told.user = status.st_uid
        told.group = status.st_gid
        told.links = UInt64(status.st_nlink)
        told.device = UInt64(status.st_rdev)
        told.size = UInt64(status.st_size)
        told.blockSize = UInt64(status.st_blksize)
        told.blocks = UInt64(status.st_blocks)
        told.accessTime = FileTime(status.st_atim)
        told.modificationTime = FileTime(status.st_mtim)
        told.changeTime = FileTime(status.st_ctim)
        told.write(to: &writer)
    }

    func setAttributes(_ reader: inout MessageReader) throws(LinuxABI.Errno) {
        let file = try file(try reader.take32())
        let request = try AttributeRequest(&reader)
        try requireWritable()
        if let size = request.size { try truncate(file, size) }
        if request.user != nil || request.group != nil {
            // -1 leaves either as it is.
            let (user, group) = (request.user ?? .max, request.group ?? .max)
            try host(fchownat(file.place, "", user, group, emptyPath))
        }
        let path = pathOfDescriptor(file.place)
        if let mode = request.mode { try host(fchmodat(AT_FDCWD, path, mode & 0o7777, 0)) }
        guard request.accessTime != nil || request.modificationTime != nil else { return }
        let omitted = FileTime(seconds: 0, nanoseconds: FileTime.omitMark)
        let times = [request.accessTime ?? omitted, request.modificationTime ?? omitted].map {
            timespec(tv_sec: Int($0.seconds), tv_nsec: Int($0.nanoseconds))
        }
        try host(utimensat(AT_FDCWD, path, times, 0))
    }

    private func truncate(_ file: File, _ size: UInt64) throws(LinuxABI.Errno) {
        guard let size = off_t(exactly: size) else { throw .fileTooLarge }
        if file.open >= 0, ftruncate(file.open, size) == 0 { return }
        guard try status(of: file.place).st_mode & S_IFMT == S_IFREG else {
            throw .invalidArgument
        }
        try host(Glibc.truncate(pathOfDescriptor(file.place), size))
    }

    func statistics(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        var status = statfs()
        try host(fstatfs(try place(&reader), &status))
        var told = ServerStatistics()
        told.type = UInt32(truncatingIfNeeded: status.f_type)
        told.blockSize = UInt32(truncatingIfNeeded: status.f_bsize)
        told.blocks = UInt64(status.f_blocks)
        told.freeBlocks = UInt64(status.f_bfree)
        told.availableBlocks = UInt64(status.f_bavail)
        told.files = UInt64(status.f_files)
        told.freeFiles = UInt64(status.f_ffree)
        told.nameLength = UInt32(truncatingIfNeeded: status.f_namelen)
        told.write(to: &writer)
    }

    func readLink(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        var target = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlinkat(try place(&reader), "", &target, target.count)
        guard count >= 0 else { throw lastError }
        target.withUnsafeBytes { writer.put(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }

    // MARK: Contents

    /// What the other end may ask of open(2): access, O_APPEND and O_SYNC. All else that it says is about
    /// descriptors of its own.
    private static let kept = O_ACCMODE | O_APPEND | O_SYNC | O_DSYNC
    /// Nobody waits for a lease, or gets a terminal.
    private static let own = O_CLOEXEC | O_NOCTTY | O_NONBLOCK

    func open(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let number = try reader.take32()
        let flags = Int32(bitPattern: try reader.take32())
        let file = try file(number)
        guard file.open < 0 else { throw .badDescriptor }
        let status = try status(of: file.place)
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFDIR else { throw .noSuchDeviceOrAddress }
        if flags & O_ACCMODE != O_RDONLY { try requireWritable() }
        let wanted = flags & Self.kept | Self.own | (kind == S_IFDIR ? O_DIRECTORY : 0)
        let descriptor = try host(Glibc.open(pathOfDescriptor(file.place), wanted))
        setOpened(number, descriptor)
        writer.put(identity(status))
        writer.put32(0)
    }

    /// The file is new, or this fails: what has the name already might be no file.
    func create(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let number = try reader.take32()
        let directory = try file(number)
        let name = try reader.takeText()
        let flags = Int32(bitPattern: try reader.take32())
        let (mode, group) = (try reader.take32(), try reader.take32())
        try requireWritable()
        guard directory.open < 0 else { throw .badDescriptor }
        let wanted = flags & Self.kept | Self.own | O_CREAT | O_EXCL | O_NOFOLLOW
        let descriptor = try withName(name) { (name) throws(LinuxABI.Errno) in
            try host(openat(directory.place, name, wanted, mode & 0o777))
        }
        own(descriptor, mode, group)
        let place = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard place >= 0 else {
            Glibc.close(descriptor)
            throw lastError
        }
        replace(number, by: File(place: place, open: descriptor))
        writer.put(try identity(of: place))
        writer.put32(0)
    }

    /// Gives a new file the group and the permissions that were asked for, whatever the umask is. Who may
    /// not give files away keeps them.
    func own(_ file: Int32, _ mode: UInt32, _ group: UInt32) {
        _ = fchownat(file, "", .max, group, emptyPath)
        _ = fchmodat(AT_FDCWD, pathOfDescriptor(file), mode & 0o7777, 0)
    }

    func read(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let descriptor = try opened(try reader.take32())
        let offset = try takeOffset(&reader)
        let count = min(Int(try reader.take32()), writer.room - 4)
        writer.put32(0)
        let done = pread(descriptor, writer.end, count, offset)
        guard done >= 0 else { throw lastError }
        writer.replace32(at: Protocol9P.headerSize, UInt32(done))
        writer.advance(done)
    }

    func write(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let descriptor = try opened(try reader.take32())
        let offset = try takeOffset(&reader)
        let bytes = try reader.takeBytes(Int(try reader.take32()))
        let done = pwrite(descriptor, bytes.baseAddress, bytes.count, offset)
        guard done >= 0 else { throw lastError }
        writer.put32(UInt32(done))
    }

    private func takeOffset(_ reader: inout MessageReader) throws(LinuxABI.Errno) -> off_t {
        guard let offset = off_t(exactly: try reader.take64()) else { throw .invalidArgument }
        return offset
    }

    func synchronize(_ reader: inout MessageReader) throws(LinuxABI.Errno) {
        try host(fsync(try opened(try reader.take32())))
    }
}

extension FileTime {
    init(_ time: timespec) {
        self.init(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
    }
}
