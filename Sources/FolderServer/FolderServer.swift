import Glibc
import LinuxABI
import NineP
import TenderSupport

/// Serves one folder of the host: answers requests of 9P2000.L, one after the other.
public final class FolderServer {
    /// A file that the other end has a number for.
    struct File {
        /// A descriptor that names the file and gives no access (O_PATH).
        var place: Int32
        /// Opened by the other end, or -1.
        var open: Int32 = -1

        func close() {
            Glibc.close(place)
            if open >= 0 { Glibc.close(open) }
        }
    }

    let folder: Int32
    let isReadOnly: Bool
    private let device: dev_t
    private var files: [UInt32: File] = [:]
    private(set) var messageLimit = FolderServer.largestMessage

    /// As QEMU's and the kernel's: 64 KiB.
    public static let largestMessage = 64 << 10
    /// Each is a descriptor of the host's, or two.
    static let mostFiles = 4096

    /// - Parameter folder: a descriptor of the folder, which is the server's from now on.
    public init(folder: Int32, isReadOnly: Bool) {
        self.folder = folder
        self.isReadOnly = isReadOnly
        var status = stat()
        device = fstat(folder, &status) == 0 ? status.st_dev : 0
    }

    deinit {
        forgetAll()
        close(folder)
    }

    /// Writes the answer to a request into a room of `largestMessage` bytes; how long it is, or nil when
    /// the request is no message at all.
    public func answer(
        _ request: UnsafeRawBufferPointer,
        into room: UnsafeMutableRawBufferPointer
    ) -> Int? {
        var reader = MessageReader(request)
        guard let size = try? reader.take32(), size == request.count, size <= messageLimit,
            let type = try? reader.take8(), let tag = try? reader.take16()
        else { return nil }
        let room = UnsafeMutableRawBufferPointer(rebasing: room[..<messageLimit])
        var writer = MessageWriter(room, type &+ 1, tag: tag)
        do throws(LinuxABI.Errno) {
            guard let type = MessageType(rawValue: type) else { throw .notSupported }
            try perform(type, &reader, &writer)
            if writer.isTooLong { throw .messageTooLong }
        } catch {
            writer = MessageWriter(room, MessageType.failure, tag: tag)
            writer.put32(UInt32(error.rawValue))
        }
        writer.finish()
        return writer.count
    }

    private func perform(
        _ type: MessageType,
        _ reader: inout MessageReader,
        _ writer: inout MessageWriter
    ) throws(LinuxABI.Errno) {
        switch type {
        case .version: try agree(&reader, &writer)
        case .attach: try attach(&reader, &writer)
        case .walk: try walk(&reader, &writer)
        case .clunk: try clunk(&reader)
        // Requests are answered in turn: there is none to give up.
        case .flush: break
        case .statistics: try statistics(&reader, &writer)
        case .attributes: try attributes(&reader, &writer)
        case .setAttributes: try setAttributes(&reader)
        case .readLink: try readLink(&reader, &writer)
        case .open: try open(&reader, &writer)
        case .create: try create(&reader, &writer)
        case .read: try read(&reader, &writer)
        case .write: try write(&reader, &writer)
        case .synchronize: try synchronize(&reader)
        case .readDirectory: try readDirectory(&reader, &writer)
        case .makeDirectory: try makeDirectory(&reader, &writer)
        case .symbolicLink: try makeSymbolicLink(&reader, &writer)
        case .makeNode: try makeNode(&reader, &writer)
        case .link: try link(&reader)
        case .rename: try rename(&reader)
        case .unlink: try unlink(&reader)
        }
    }

    // MARK: The session

    private func agree(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let told = Int(try reader.take32())
        let speaksIt = try reader.takes(Protocol9P.name)
        guard told >= Protocol9P.leastMessage else { throw .invalidArgument }
        forgetAll()
        messageLimit = min(told, FolderServer.largestMessage)
        writer.put32(UInt32(messageLimit))
        if speaksIt { writer.put(Protocol9P.name) } else { writer.put("unknown") }
    }

    private func attach(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let number = try reader.take32()
        guard try reader.take32() == Protocol9P.noFile else { throw .notSupported }
        _ = try reader.takeText()
        _ = try reader.takeText()
        _ = try reader.take32()
        let place = try host(fcntl(folder, F_DUPFD_CLOEXEC, 0))
        let identity = try identity(of: place, closingOnFailure: true)
        try add(File(place: place), number)
        writer.put(identity)
    }

    private func walk(_ reader: inout MessageReader, _ writer: inout MessageWriter)
        throws(LinuxABI.Errno)
    {
        let from = try reader.take32()
        let number = try reader.take32()
        let count = Int(try reader.take16())
        guard count <= 16 else { throw .invalidArgument }
        var place = try host(fcntl(try file(from).place, F_DUPFD_CLOEXEC, 0))
        writer.put16(UInt16(count))
        do throws(LinuxABI.Errno) {
            for _ in 0..<count {
                let next = try find(try reader.takeText(), in: place)
                Glibc.close(place)
                place = next
                writer.put(try identity(of: place))
            }
        } catch {
            Glibc.close(place)
            throw error
        }
        try add(File(place: place), number)
    }

    private func clunk(_ reader: inout MessageReader) throws(LinuxABI.Errno) {
        guard let file = files.removeValue(forKey: try reader.take32()) else {
            throw .badDescriptor
        }
        file.close()
    }

    private func forgetAll() {
        for file in files.values { file.close() }
        files.removeAll()
    }

    private func add(_ file: File, _ number: UInt32) throws(LinuxABI.Errno) {
        guard files[number] == nil, number != Protocol9P.noFile else {
            file.close()
            throw .badDescriptor
        }
        guard files.count < FolderServer.mostFiles else {
            file.close()
            throw .tooManyOpenFiles
        }
        files[number] = file
    }

    // MARK: What the others need

    /// How many files the other end has numbers for.
    var fileCount: Int { files.count }

    func file(_ number: UInt32) throws(LinuxABI.Errno) -> File {
        guard let file = files[number] else { throw .badDescriptor }
        return file
    }

    /// The place of a number that is not the attach's parent: any file.
    func place(_ reader: inout MessageReader) throws(LinuxABI.Errno) -> Int32 {
        try file(try reader.take32()).place
    }

    /// The descriptor by which a number was opened.
    func opened(_ number: UInt32) throws(LinuxABI.Errno) -> Int32 {
        let open = try file(number).open
        guard open >= 0 else { throw .badDescriptor }
        return open
    }

    func setOpened(_ number: UInt32, _ descriptor: Int32) { files[number]?.open = descriptor }

    /// The number stands for another file from now on, which is open.
    func replace(_ number: UInt32, by file: File) {
        files[number]?.close()
        files[number] = file
    }

    /// A place for what has a name in a directory; a link is what it leads to, not where.
    func find(_ name: UnsafeRawBufferPointer, in directory: Int32) throws(LinuxABI.Errno) -> Int32 {
        try withName(name) { (name) throws(LinuxABI.Errno) in
            try host(openat(directory, name, placeOnly | O_NOFOLLOW | O_CLOEXEC))
        }
    }

    func requireWritable() throws(LinuxABI.Errno) {
        guard !isReadOnly else { throw .readOnlyFileSystem }
    }

    /// What fstat(2) says of a place.
    func status(of place: Int32) throws(LinuxABI.Errno) -> stat {
        var status = stat()
        _ = try host(fstat(place, &status))
        return status
    }

    func identity(of place: Int32, closingOnFailure: Bool = false) throws(LinuxABI.Errno)
        -> FileIdentity
    {
        do throws(LinuxABI.Errno) { return identity(try status(of: place)) } catch {
            if closingOnFailure { Glibc.close(place) }
            throw error
        }
    }

    func identity(_ status: stat) -> FileIdentity {
        var type: UInt8 = 0
        if status.st_mode & S_IFMT == S_IFDIR { type = FileIdentity.directory }
        if status.st_mode & S_IFMT == S_IFLNK { type = FileIdentity.symbolicLink }
        return FileIdentity(type: type, version: 0, path: path(status.st_ino, on: status.st_dev))
    }

    /// Inode numbers of other file systems that are mounted below are told apart by bits that theirs
    /// hardly use.
    private func path(_ inode: ino_t, on device: dev_t) -> UInt64 {
        UInt64(inode) ^ UInt64(device ^ self.device).byteSwapped
    }

    /// The same for a name that a directory of this device tells.
    func path(_ inode: UInt64, in directory: stat) -> UInt64 {
        path(ino_t(inode), on: directory.st_dev)
    }
}

/// What a call of the host answered. Throws its `errno`.
@discardableResult
func host(_ answer: Int32) throws(LinuxABI.Errno) -> Int32 {
    guard answer >= 0 else { throw lastError }
    return answer
}

/// O_PATH
var placeOnly: Int32 { Int32(OpenFlags.path.rawValue) }
/// AT_EMPTY_PATH
var emptyPath: Int32 { Int32(PathFlags.emptyPath.rawValue) }

var lastError: LinuxABI.Errno { LinuxABI.Errno(rawValue: UInt16(errno)) }

/// Lends one component of a path with a zero behind it. Throws `invalidArgument` for what is none, and
/// for `.` and `..`.
@discardableResult
func withName<Result>(
    _ name: UnsafeRawBufferPointer,
    _ body: (UnsafePointer<CChar>) throws(LinuxABI.Errno) -> Result
) throws(LinuxABI.Errno) -> Result {
    guard name.count <= 255 else { throw .nameTooLong }
    guard DirectoryRecord.isName(name), !DirectoryRecord.isDots(name) else {
        throw .invalidArgument
    }
    return try withText(name, body)
}

/// Lends a text with a zero behind it. Throws `invalidArgument` where it holds one.
@discardableResult
func withText<Result>(
    _ text: UnsafeRawBufferPointer,
    _ body: (UnsafePointer<CChar>) throws(LinuxABI.Errno) -> Result
) throws(LinuxABI.Errno) -> Result {
    guard !text.contains(0) else { throw .invalidArgument }
    let bytes = text.map { CChar(bitPattern: $0) } + [0]
    var result: Swift.Result<Result, LinuxABI.Errno>?
    bytes.withUnsafeBufferPointer { buffer in
        do throws(LinuxABI.Errno) { result = .success(try body(buffer.baseAddress!)) } catch {
            result = .failure(error)
        }
    }
    return try result!.get()
}

/// The path by which a file that is held by a descriptor is reached, whatever its names are. A symbolic
/// link that is held so is reached itself.
func pathOfDescriptor(_ descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }
