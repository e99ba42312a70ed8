import LinuxABI
import LoaderCore

/// A file in memory.
public final class MemoryFile: ExecutableFile {
    public let bytes: [UInt8]
    public init(_ bytes: [UInt8]) { self.bytes = bytes }

    public var size: UInt64 { UInt64(bytes.count) }

    public func read(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(Errno) -> Int {
        guard offset < size else { return 0 }
        let rest = bytes[Int(offset)...].prefix(buffer.count)
        buffer.copyBytes(from: rest)
        return rest.count
    }
}
