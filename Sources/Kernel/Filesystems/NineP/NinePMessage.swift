import LinuxABI
import Platform

/// Types of requests (9P2000.L); the type of an answer is the next.
enum NinePType {
    static var failure: UInt8 { 7 }
    static var version: UInt8 { 100 }
    static var attach: UInt8 { 104 }
    static var clunk: UInt8 { 120 }
}

/// Writes a request where the platform takes it from: little-endian numbers, and text after its length.
struct NinePWriter {
    private let bytes: UnsafeMutableRawBufferPointer
    private(set) var count = 0
    /// Something had no room.
    private(set) var isTooLong = false

    init(_ bytes: UnsafeMutableRawBufferPointer, _ type: UInt8, tag: UInt16) {
        self.bytes = bytes
        put(0 as UInt32)
        put(type)
        put(tag)
    }

    mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        let size = MemoryLayout<Number>.size
        guard size <= bytes.count - count else {
            isTooLong = true
            return
        }
        bytes.storeBytes(of: number.littleEndian, toByteOffset: count, as: Number.self)
        count += size
    }

    mutating func put(_ text: StaticString) {
        put(UInt16(text.utf8CodeUnitCount))
        text.withUTF8Buffer { for byte in $0 { put(byte) } }
    }

    /// Writes the size that the message has got.
    func finish() { bytes.storeBytes(of: UInt32(count).littleEndian, as: UInt32.self) }
}

/// Reads an answer, which lies where its server may still write: each byte once.
struct NinePReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Throws `inputOutputError` where the answer is too short.
    mutating func take<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type)
        throws(Errno) -> Number
    {
        let size = MemoryLayout<Number>.size
        guard size <= bytes.count - position else { throw .inputOutputError }
        defer { position += size }
        return Number(
            littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self)
        )
    }

    /// Whether the text that comes next is this one.
    mutating func takes(_ text: StaticString) throws(Errno) -> Bool {
        let length = Int(try take(UInt16.self))
        guard length == text.utf8CodeUnitCount else { return false }
        var isSame = true
        for index in 0..<length {
            let byte = try take(UInt8.self)
            if byte != text.utf8Start[index] { isSame = false }
        }
        return isSame
    }
}
