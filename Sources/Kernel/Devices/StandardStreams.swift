import LaunchRecord
import LinuxABI

/// Opens descriptors 0, 1 and 2 of the first process.
public enum StandardStreams {
    /// What each stream is on the host; nil when it is closed.
    nonisolated(unsafe) private static var hosts = InlineArray<3, HostStream?>(repeating: nil)

    /// The first stream that is a terminal, if one is.
    nonisolated(unsafe) private(set) static var terminal: HostTerminal?

    /// Takes the streams as the launch record has them: those that are closed stay closed. A terminal
    /// among them controls the first process's session.
    static func open(_ payload: UnsafeRawBufferPointer, in process: Process) throws(Errno) {
        terminal = nil
        guard payload.count >= 3 * HostStream.encodedSize else { return }
        for stream in Streams.Stream.allCases {
            let host = HostStream(payload, at: stream.rawValue * HostStream.encodedSize)
            hosts[stream.rawValue] = nil
            guard host.mode != 0 else { continue }
            hosts[stream.rawValue] = host
            let file = StreamFile(stream, host)
            try process.descriptors.replace(
                FileDescriptor(UInt(stream.rawValue)),
                with: file,
                closesOnExec: false
            )
            if file.isTerminal, terminal == nil { terminal = HostTerminal() }
        }
        terminal?.control(process)
    }

    /// The node of /dev/console, as which programs see the terminal: the host's own name leads nowhere here.
    static var console: Inode? {
        guard let devices = VFS.devices, let directory = devices.inode else { return nil }
        var keeper: Dentry?
        return try? directory.find(Name("console"), in: devices, &keeper)?.lent.inode
    }

    /// The instance ends.
    static func close() { terminal = nil }

    /// Opens the terminal: the first standard stream that is one and that is open the way it is asked
    /// for. Throws `noSuchDeviceOrAddress` when there is none.
    static func openTerminal(_ flags: OpenFlags) throws(Errno) -> OpenFile {
        for stream in Streams.Stream.allCases {
            guard let host = hosts[stream.rawValue] else { continue }
            let allowed = OpenFlags(rawValue: host.flags)
            guard !flags.isReadable || allowed.isReadable, !flags.isWritable || allowed.isWritable
            else { continue }
            let file = StreamFile(stream, host, flags: flags)
            if file.isTerminal { return file }
        }
        throw .noSuchDeviceOrAddress
    }

    /// Opens a stream again, as open(2) of /proc/self/fd does.
    static func reopen(_ file: StreamFile, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        let allowed = OpenFlags(rawValue: file.host.flags)
        guard !flags.isReadable || allowed.isReadable, !flags.isWritable || allowed.isWritable
        else { throw .permissionDenied }
        return StreamFile(file.stream, file.host, flags: flags)
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
