import Glibc
import LaunchRecord

/// The file of the host that a program's core is written to: `--core FILE`.
///
/// The kernel may be in the hands of a hostile program: it can fill this file, up to a limit, and no more.
final class CoreFile {
    private let path: String
    private let descriptor: Int32
    /// It was not there before.
    private let isNew: Bool
    /// Bytes of the host's disk that a core may take.
    private let limit: UInt64
    private var used: UInt64 = 0
    private var head: [UInt8] = []
    private var position: UInt64 = 0
    /// Bytes of the payload that are still to come.
    private var rest: UInt64 = 0
    /// Whether a core is there.
    private(set) var isWritten = false
    private var isBroken = false

    private static let pageSize: UInt64 = 4096

    init(_ path: String, memory: UInt64) throws(LaunchFailure) {
        self.path = path
        // What is written page by page takes more than is written.
        limit = 2 * memory + 64 << 20
        let created = openFile(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
        isNew = created >= 0
        descriptor = isNew ? created : openFile(path, O_WRONLY)
        guard descriptor >= 0 else {
            throw LaunchFailure("cannot write a core to \(path): \(lastErrorText()); check --core")
        }
    }

    /// Takes records of a core, of which the last may be a part; false when no more are taken.
    func take(_ bytes: [UInt8]) -> Bool {
        var bytes = bytes[...]
        while !bytes.isEmpty, !isBroken {
            if rest > 0 {
                let part = bytes.prefix(Int(min(rest, UInt64(bytes.count))))
                bytes = bytes.dropFirst(part.count)
                isBroken = !write(part)
            } else {
                let missing = CoreRecord.headerSize - head.count
                head += bytes.prefix(missing)
                bytes = bytes.dropFirst(missing)
                if head.count == CoreRecord.headerSize { isBroken = !begin() }
            }
        }
        return !isBroken
    }

    private func begin() -> Bool {
        (position, rest) = head.withUnsafeBytes {
            (
                $0.loadUnaligned(as: UInt64.self),
                $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
            )
        }
        head = []
        guard position <= CoreRecord.largestPosition, rest <= CoreRecord.payloadLimit else {
            return false
        }
        guard rest == 0 else {
            used += (rest / Self.pageSize + 2) * Self.pageSize
            return used <= limit
        }
        if position == 0 { used = 0 }
        isWritten = position > 0
        return withoutLimitSignal { ftruncate(descriptor, off_t(position)) == 0 }
    }

    private func write(_ part: ArraySlice<UInt8>) -> Bool {
        let count = withoutLimitSignal {
            part.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(position)) }
        }
        guard count == part.count else { return false }
        position += UInt64(count)
        rest -= UInt64(count)
        return true
    }

    /// Under `ulimit -f` a file that grows too much is answered with SIGXFSZ, whose default kills.
    private func withoutLimitSignal<Result>(_ body: () -> Result) -> Result {
        let usual = signal(SIGXFSZ, SIG_IGN)
        defer { signal(SIGXFSZ, usual) }
        return body()
    }

    /// Says what became of it; a file that was made for nothing goes.
    func finish(_ program: String, isQuiet: Bool) {
        close(descriptor)
        if isBroken { reportLine("\(program): its core could not be written to \(path) in full") }
        if isWritten, !isQuiet { reportLine("\(program): its core is in \(path)") }
        if isNew, !isWritten, !isBroken { unlink(path) }
    }
}

/// Where the kernel's processes write a core, and `unirun` reads it.
final class CorePipe {
    /// -1 when nothing more is read.
    private(set) var descriptor: Int32
    private let file: CoreFile

    /// Makes the pipe; the kernel's end of it is `other`.
    init(_ file: CoreFile, other: inout Int32) throws(LaunchFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0, fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0,
            fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0, fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0
        else { throw LaunchFailure("cannot make a pipe for the core: \(lastErrorText())") }
        self.file = file
        descriptor = ends[0]
        other = ends[1]
    }

    /// Reads what there is.
    func drain() {
        var bytes = [UInt8](repeating: 0, count: Int(CoreRecord.payloadLimit))
        while descriptor >= 0 {
            let count = read(descriptor, &bytes, bytes.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            guard count > 0, file.take(Array(bytes[..<count])) else {
                close(descriptor)
                descriptor = -1
                return
            }
        }
    }
}
