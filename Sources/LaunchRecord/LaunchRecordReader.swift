/// Walks the items of a launch record that somebody else wrote.
public struct LaunchRecordReader {
    public enum Failure: Error, Equatable {
        case truncated
        case wrongMagic
        case wrongVersion(UInt32)
        /// The length in the header is not the record's, or an item leads out of it.
        case wrongLength(offset: Int)
    }

    private let bytes: UnsafeRawBufferPointer
    private var offset = LaunchRecord.headerSize

    public init(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        guard bytes.count >= LaunchRecord.headerSize else { throw .truncated }
        guard bytes.loadUnaligned(as: UInt64.self) == LaunchRecord.magic else { throw .wrongMagic }
        let version = bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        guard version == LaunchRecord.version else { throw .wrongVersion(version) }
        let length = Int(bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        guard length >= LaunchRecord.headerSize, length <= bytes.count else {
            throw .wrongLength(offset: 12)
        }
        self.bytes = UnsafeRawBufferPointer(rebasing: bytes[..<length])
    }

    /// The next item of a kind this version knows, or `nil` at the end. Unknown kinds are skipped.
    public mutating func next() throws(Failure) -> (
        kind: LaunchRecord.Kind, payload: UnsafeRawBufferPointer
    )? {
        while offset < bytes.count {
            let start = offset + LaunchRecord.itemHeaderSize
            guard start <= bytes.count else { throw .wrongLength(offset: offset) }
            let kind = bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)
            let length = Int(bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self))
            guard length <= bytes.count - start else { throw .wrongLength(offset: offset) }
            let payload = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
            let padded = (length + LaunchRecord.alignment - 1) & ~(LaunchRecord.alignment - 1)
            offset = min(start + padded, bytes.count)
            if let known = LaunchRecord.Kind(rawValue: kind) { return (known, payload) }
        }
        return nil
    }
}
