import LinuxABI

/// What Rgetattr tells.
public struct FileAttributes: Equatable {
    public var identity = FileIdentity(type: 0, version: 0, path: 0)
    public var mode: UInt32 = 0
    public var user: UInt32 = 0
    public var group: UInt32 = 0
    public var links: UInt64 = 0
    public var device: UInt64 = 0
    public var size: UInt64 = 0
    public var blockSize: UInt64 = 0
    public var blocks: UInt64 = 0
    public var accessTime = FileTime()
    public var modificationTime = FileTime()
    public var changeTime = FileTime()

    public init() {}

    /// P9_GETATTR_BASIC
    public static var basic: UInt64 { 0x7ff }

    public init(_ reader: inout MessageReader) throws(Errno) {
        _ = try reader.take64()
        identity = try reader.takeIdentity()
        mode = try reader.take32()
        user = try reader.take32()
        group = try reader.take32()
        links = try reader.take64()
        device = try reader.take64()
        size = try reader.take64()
        blockSize = try reader.take64()
        blocks = try reader.take64()
        accessTime = try FileAttributes.takeTime(&reader)
        modificationTime = try FileAttributes.takeTime(&reader)
        changeTime = try FileAttributes.takeTime(&reader)
    }

    /// With a birth time, a generation and a version of the contents, which nobody reads.
    public func write(to writer: inout MessageWriter) {
        writer.put64(FileAttributes.basic)
        writer.put(identity)
        writer.put32(mode)
        writer.put32(user)
        writer.put32(group)
        writer.put64(links)
        writer.put64(device)
        writer.put64(size)
        writer.put64(blockSize)
        writer.put64(blocks)
        writer.put(accessTime)
        writer.put(modificationTime)
        writer.put(changeTime)
        writer.put(FileTime())
        writer.put64(0)
        writer.put64(0)
    }

    static func takeTime(_ reader: inout MessageReader) throws(Errno) -> FileTime {
        let seconds = Int64(bitPattern: try reader.take64())
        let nanoseconds = try reader.take64()
        return FileTime(seconds: seconds, nanoseconds: Int64(min(nanoseconds, 999_999_999)))
    }
}

/// What Tsetattr asks for; what is nil stays.
public struct AttributeRequest {
    public var mode: UInt32?
    public var user: UInt32?
    public var group: UInt32?
    public var size: UInt64?
    public var accessTime: FileTime?
    public var modificationTime: FileTime?

    public init() {}

    // P9_ATTR_MODE and so on; a time is set to what follows with its second bit, else to the server's.
    private static var modeBit: UInt32 { 1 << 0 }
    private static var userBit: UInt32 { 1 << 1 }
    private static var groupBit: UInt32 { 1 << 2 }
    private static var sizeBit: UInt32 { 1 << 3 }
    private static var accessBits: UInt32 { 1 << 4 | 1 << 7 }
    private static var modificationBits: UInt32 { 1 << 5 | 1 << 8 }

    func write(to writer: inout MessageWriter) {
        var valid: UInt32 = 0
        if mode != nil { valid |= AttributeRequest.modeBit }
        if user != nil { valid |= AttributeRequest.userBit }
        if group != nil { valid |= AttributeRequest.groupBit }
        if size != nil { valid |= AttributeRequest.sizeBit }
        if accessTime != nil { valid |= AttributeRequest.accessBits }
        if modificationTime != nil { valid |= AttributeRequest.modificationBits }
        writer.put32(valid)
        writer.put32(mode ?? 0)
        writer.put32(user ?? 0)
        writer.put32(group ?? 0)
        writer.put64(size ?? 0)
        writer.put(accessTime ?? FileTime())
        writer.put(modificationTime ?? FileTime())
    }

    /// A time that is to be the server's is told as UTIME_NOW.
    public init(_ reader: inout MessageReader) throws(Errno) {
        let valid = try reader.take32()
        let (mode, user, group) = (try reader.take32(), try reader.take32(), try reader.take32())
        let size = try reader.take64()
        let access = try FileAttributes.takeTime(&reader)
        let modification = try FileAttributes.takeTime(&reader)
        if valid & AttributeRequest.modeBit != 0 { self.mode = mode }
        if valid & AttributeRequest.userBit != 0 { self.user = user }
        if valid & AttributeRequest.groupBit != 0 { self.group = group }
        if valid & AttributeRequest.sizeBit != 0 { self.size = size }
        accessTime = AttributeRequest.time(valid, AttributeRequest.accessBits, access)
        modificationTime = AttributeRequest.time(
            valid,
            AttributeRequest.modificationBits,
            modification
        )
    }

    private static func time(_ valid: UInt32, _ bits: UInt32, _ told: FileTime) -> FileTime? {
        if valid & bits == bits { return told }
        guard valid & bits & 0x3f != 0 else { return nil }
        return FileTime(seconds: 0, nanoseconds: FileTime.nowMark)
    }
}

/// What Rstatfs tells.
public struct ServerStatistics: Equatable {
    public var type: UInt32 = 0
    public var blockSize: UInt32 = 0
    public var blocks: UInt64 = 0
    public var freeBlocks: UInt64 = 0
    public var availableBlocks: UInt64 = 0
    public var files: UInt64 = 0
    public var freeFiles: UInt64 = 0
    public var identifier: UInt64 = 0
    public var nameLength: UInt32 = 0

    public init() {}

    public init(_ reader: inout MessageReader) throws(Errno) {
        type = try reader.take32()
        blockSize = try reader.take32()
        blocks = try reader.take64()
        freeBlocks = try reader.take64()
        availableBlocks = try reader.take64()
        files = try reader.take64()
        freeFiles = try reader.take64()
        identifier = try reader.take64()
        nameLength = try reader.take32()
    }

    public func write(to writer: inout MessageWriter) {
        writer.put32(type)
        writer.put32(blockSize)
        writer.put64(blocks)
        writer.put64(freeBlocks)
        writer.put64(availableBlocks)
        writer.put64(files)
        writer.put64(freeFiles)
        writer.put64(identifier)
        writer.put32(nameLength)
    }
}

/// One name that Rreaddir tells.
public struct DirectoryRecord {
    public var identity: FileIdentity
    /// Where the next one is found.
    public var next: UInt64
    /// `d_type`
    public var kind: UInt8
    public var name: UnsafeRawBufferPointer

    public init(
        identity: FileIdentity,
        next: UInt64,
        kind: UInt8,
        name: UnsafeRawBufferPointer
    ) {
        self.identity = identity
        self.next = next
        self.kind = kind
        self.name = name
    }

    /// Throws `inputOutputError` for a name that is none: empty, too long, or with a slash or a zero.
    public init(_ reader: inout MessageReader) throws(Errno) {
        identity = try reader.takeIdentity()
        next = try reader.take64()
        kind = try reader.take8()
        name = try reader.takeText()
        guard DirectoryRecord.isName(name) else { throw .inputOutputError }
    }

    public func write(to writer: inout MessageWriter) {
        writer.put(identity)
        writer.put64(next)
        writer.put8(kind)
        writer.put(name)
    }

    /// Bytes beside the name.
    public static var headSize: Int { 24 }

    /// Whether it is one component of a path, be it `.` or `..`.
    public static func isName(_ name: UnsafeRawBufferPointer) -> Bool {
        guard (1...255).contains(name.count) else { return false }
        for byte in name where byte == 0 || byte == 0x2f { return false }
        return true
    }

    /// Whether it is `.` or `..`.
    public static func isDots(_ name: UnsafeRawBufferPointer) -> Bool {
        name.count <= 2 && name.count > 0 && name[0] == 0x2e && name[name.count - 1] == 0x2e
    }
}
