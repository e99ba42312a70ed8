import Glibc
import LinuxABI
import LoaderCore

/// A regular file of the host, open for reading.
public final class HostFile: ExecutableFile {
    public let path: String
    public let descriptor: CInt
    public let size: UInt64

    /// Opens a file that is to be run, and refuses what `execve(2)` would by its inode alone.
    public init(path: String) throws(ProgramError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw ProgramError(path: path, opening: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = errno
            close(descriptor)
            throw ProgramError(path: path, opening: error)
        }
        let format = status.st_mode & S_IFMT
        guard format == S_IFREG else {
            close(descriptor)
            throw ProgramError(path: path, fileType: format)
        }
        self.path = path
        self.descriptor = descriptor
        size = UInt64(max(0, status.st_size))
    }

    deinit { close(descriptor) }

    /// Whether this user may execute it.
    public var isExecutable: Bool { access(path, X_OK) == 0 }

    public func read(
        at offset: UInt64,
        into buffer: UnsafeMutableRawBufferPointer
    ) throws(LinuxABI.Errno) -> Int {
        guard let position = off_t(exactly: offset) else { return 0 }
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, position)
            if count >= 0 { return count }
            let error = errno
            if error != EINTR { throw LinuxABI.Errno(rawValue: UInt16(truncatingIfNeeded: error)) }
        }
    }

    /// Up to `count` bytes from `offset` on; fewer where the file ends or cannot be read.
    func bytes(at offset: UInt64, count: UInt64) -> [UInt8] {
        guard offset < size else { return [] }
        let length = Int(min(count, size - offset))
        return [UInt8](unsafeUninitializedCapacity: length) { buffer, filled in
            filled = 0
            while filled < length {
                let rest = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...]
                )
                guard let count = try? read(at: offset + UInt64(filled), into: rest), count > 0
                else { return }
                filled += count
            }
        }
    }
}
