import LinuxABI

/// Requests of 9P2000.L; the type of an answer is the next number.
public enum MessageType: UInt8 {
    case statistics = 8
    case open = 12
    case create = 14
    case symbolicLink = 16
    case makeNode = 18
    case readLink = 22
    case attributes = 24
    case setAttributes = 26
    case readDirectory = 40
    case synchronize = 50
    case link = 70
    case makeDirectory = 72
    case rename = 74
    case unlink = 76
    case version = 100
    case attach = 104
    case flush = 108
    case walk = 110
    case read = 116
    case write = 118
    case clunk = 120

    /// The answer to any request that failed (Rlerror).
    public static var failure: UInt8 { 7 }
}

/// Numbers of the protocol.
public enum Protocol9P {
    public static var name: StaticString { "9P2000.L" }
    /// Size, type and tag of a message.
    public static var headerSize: Int { 7 }
    /// What a Tread's answer and a Twrite have before the data.
    public static var readHeaderSize: Int { 11 }
    public static var writeHeaderSize: Int { 23 }
    /// What both sides can do with: names, and some data beside the heads.
    public static var leastMessage: Int { 4096 }
    /// Of the handshake, which has none (NOTAG).
    public static var noTag: UInt16 { 0xffff }
    /// In the place of a file: none (NOFID).
    public static var noFile: UInt32 { 0xffff_ffff }
}

/// What tells a file from all others of its server (qid).
public struct FileIdentity: Equatable {
    public var type: UInt8
    public var version: UInt32
    public var path: UInt64

    public init(type: UInt8, version: UInt32, path: UInt64) {
        self.type = type
        self.version = version
        self.path = path
    }

    /// QTDIR and QTSYMLINK
    public static var directory: UInt8 { 0x80 }
    public static var symbolicLink: UInt8 { 0x02 }
}

/// Writes a message: little-endian numbers, and text after its length.
public struct MessageWriter {
    private let bytes: UnsafeMutableRawBufferPointer
    public private(set) var count = 0
    /// Something had no room.
    public private(set) var isTooLong = false

    public init(_ bytes: UnsafeMutableRawBufferPointer, _ type: UInt8, tag: UInt16) {
        self.bytes = bytes
        put32(0)
        put8(type)
        put16(tag)
    }

    /// What may still be written, in bytes.
    public var room: Int { bytes.count - count }

    public mutating func put8(_ value: UInt8) { put(UInt64(value), 1) }
    public mutating func put16(_ value: UInt16) { put(UInt64(value), 2) }
    public mutating func put32(_ value: UInt32) { put(UInt64(value), 4) }
    public mutating func put64(_ value: UInt64) { put(value, 8) }

    private mutating func put(_ value: UInt64, _ size: Int) {
        guard size <= room else {
            isTooLong = true
            return
        }
        for index in 0..<size {
            bytes[count + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8))
        }
        count += size
    }

    /// A text of at most 65,535 bytes.
    public mutating func put(_ text: UnsafeRawBufferPointer) {
        guard text.count <= 0xffff, text.count + 2 <= room else {
            isTooLong = true
            return
        }
        put16(UInt16(text.count))
        UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: text)
        count += text.count
    }

    public mutating func put(_ text: StaticString) {
        put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    public mutating func put(_ identity: FileIdentity) {
        put8(identity.type)
        put32(identity.version)
        put64(identity.path)
    }

    public mutating func put(_ time: FileTime) {
        put64(UInt64(bitPattern: time.seconds))
        put64(UInt64(bitPattern: time.nanoseconds))
    }

    /// Where what comes next is to be written.
    public var end: UnsafeMutableRawPointer { bytes.baseAddress! + count }

    /// Takes what somebody wrote behind the message as part of it.
    public mutating func advance(_ length: Int) {
        guard length <= room else {
            isTooLong = true
            return
        }
        count += length
    }

    /// Writes a number over what is at `offset`.
    public func replace32(at offset: Int, _ value: UInt32) {
        bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt32.self)
    }

    /// Writes the size that the message has got.
    public func finish() { replace32(at: 0, UInt32(count)) }
}

/// Reads a message, which may lie where its sender still writes: each byte once, and text only lent.
public struct MessageReader {
    private let bytes: UnsafeRawBufferPointer
    public private(set) var position = 0

    public init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    public var isAtEnd: Bool { position == bytes.count }
    /// What was not read yet.
    public var rest: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[position...])
    }

    public mutating func take8() throws(Errno) -> UInt8 { UInt8(try take(1)) }
    public mutating func take16() throws(Errno) -> UInt16 { UInt16(try take(2)) }
    public mutating func take32() throws(Errno) -> UInt32 { UInt32(try take(4)) }
    public mutating func take64() throws(Errno) -> UInt64 { try take(8) }

    /// Throws `inputOutputError` where the message is too short.
    private mutating func take(_ size: Int) throws(Errno) -> UInt64 {
        guard size <= bytes.count - position else { throw .inputOutputError }
        var value: UInt64 = 0
        for index in 0..<size { value |= UInt64(bytes[position + index]) << UInt64(index * 8) }
        position += size
        return value
    }

    public mutating func takeBytes(_ count: Int) throws(Errno) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - position else { throw .inputOutputError }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)])
    }

    public mutating func takeText() throws(Errno) -> UnsafeRawBufferPointer {
        try takeBytes(Int(try take16()))
    }

    /// Whether the text that comes next is this one.
    public mutating func takes(_ text: StaticString) throws(Errno) -> Bool {
        let told = try takeText()
        guard told.count == text.utf8CodeUnitCount else { return false }
        for index in told.indices where told[index] != text.utf8Start[index] { return false }
        return true
    }

    public mutating func takeIdentity() throws(Errno) -> FileIdentity {
        FileIdentity(type: try take8(), version: try take32(), path: try take64())
    }
}
