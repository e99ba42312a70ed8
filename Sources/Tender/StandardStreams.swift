import Glibc
import LaunchRecord

/// Standard input, output and error of `unirun`, which the program inherits.
enum StandardStreams {
    static let descriptors: [Int32] = [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO]

    /// What each of them is; a closed one is all zero.
    ///
    /// Closed ones are then occupied, or the next file that `unirun` opens would take the number
    /// and become the program's output.
    static func capture() -> [HostStream] {
        let streams = descriptors.map { describe($0) ?? closed }
        if streams.contains(closed) { occupyClosed() }
        return streams
    }

    /// Those of a machine that nobody serves: its console, which is /dev/console.
    static let ofOwnTerminal = [HostStream](
        repeating: HostStream(
            mode: UInt32(S_IFCHR) | 0o620,
            flags: UInt32(O_RDWR),
            device: 0x501,
            inode: 1,
            size: 0
        ),
        count: 3
    )

    private static let closed = HostStream(mode: 0, flags: 0, device: 0, inode: 0, size: 0)

    private static func occupyClosed() {
        var descriptor = open("/dev/null", O_RDONLY)
        while descriptor >= 0 && descriptor <= STDERR_FILENO { descriptor = dup(descriptor) }
        if descriptor > STDERR_FILENO { close(descriptor) }
    }

    /// `nil` when the descriptor is closed.
    static func describe(_ descriptor: Int32) -> HostStream? {
        guard let status = fileStatus(descriptor) else { return nil }
        let flags = fcntl(descriptor, F_GETFL)
        let isDevice = isKind(status, S_IFCHR) || isKind(status, S_IFBLK)
        return HostStream(
            mode: status.st_mode,
            flags: UInt32(max(flags, 0) & (O_ACCMODE | O_APPEND | O_NONBLOCK)),
            device: isDevice ? UInt64(status.st_rdev) : 0,
            inode: UInt64(status.st_ino),
            size: isKind(status, S_IFREG) ? UInt64(max(status.st_size, 0)) : 0
        )
    }
}
