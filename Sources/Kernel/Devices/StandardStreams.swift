import LaunchRecord
import LinuxABI

/// Opens descriptors 0, 1 and 2 of the first process.
public enum StandardStreams {
    /// Takes the streams as the launch record has them: those that are closed stay closed.
    public static func open(_ payload: UnsafeRawBufferPointer, in table: DescriptorTable)
        throws(Errno)
    {
        guard payload.count >= 3 * HostStream.encodedSize else { return }
        for stream in Streams.Stream.allCases {
            let host = HostStream(payload, at: stream.rawValue * HostStream.encodedSize)
            guard host.mode != 0 else { continue }
            let file = StreamFile(stream, host)
            try table.replace(
                FileDescriptor(UInt(stream.rawValue)),
                with: file,
                closesOnExec: false
            )
        }
    }
}

extension HostStream {
    init(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        self.init(
            mode: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self),
            flags: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self),
            device: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self),
            inode: bytes.loadUnaligned(fromByteOffset: offset + 16, as: UInt64.self),
            size: bytes.loadUnaligned(fromByteOffset: offset + 24, as: UInt64.self)
        )
    }
}
