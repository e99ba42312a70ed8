import Glibc
import TenderSupport

/// What `--rootfs` names, told by looking at it.
struct RootSource {
    enum Kind: Equatable {
        case directory
        case archive
        case image
    }

    var path: String
    var kind: Kind

    init(_ path: String) throws(LaunchFailure) {
        self.path = path
        guard let status = fileStatus(path) else {
            throw LaunchFailure("cannot use the root \(path): \(lastErrorText()); check --rootfs")
        }
        if isKind(status, S_IFDIR) {
            kind = .directory
        } else if isKind(status, S_IFREG) {
            kind = try Self.kindOfFile(path)
        } else {
            throw LaunchFailure("cannot use the root \(path): \(Self.expectation)")
        }
    }

    private static let expectation = "it must be a folder, a tar archive or an EROFS image"

    private static func kindOfFile(_ path: String) throws(LaunchFailure) -> Kind {
        let descriptor = openFile(path, O_RDONLY)
        guard descriptor >= 0 else {
            throw LaunchFailure("cannot read the root \(path): \(lastErrorText())")
        }
        defer { close(descriptor) }
        var start = [UInt8](repeating: 0, count: 2048)
        let count = pread(descriptor, &start, start.count, 0)
        start.removeLast(start.count - max(count, 0))
        if start.count >= 1028, Array(start[1024..<1028]) == erofsMagic { return .image }
        if start.count >= 263, Array(start[257..<262]) == Array("ustar".utf8) { return .archive }
        if compressions.contains(where: { start.starts(with: $0) }) { return .archive }
        throw LaunchFailure("cannot use the root \(path): \(expectation)")
    }

    /// The superblock's magic number, at byte 1024.
    private static let erofsMagic: [UInt8] = [0xe2, 0xe1, 0xf5, 0xe0]
    /// gzip, bzip2, xz and zstd, which tar(1) unpacks by itself.
    private static let compressions: [[UInt8]] = [
        [0x1f, 0x8b], [0x42, 0x5a, 0x68], [0xfd, 0x37, 0x7a, 0x58, 0x5a], [0x28, 0xb5, 0x2f, 0xfd],
    ]

    /// Whether there is a file at a guest path; `nil` when only the kernel can tell.
    func holdsProgram(_ guestPath: String) -> Bool? {
        guard kind == .directory else { return nil }
        let found = tender_find_in_root(path, guestPath)
        if found == -ENOSYS { return nil }
        guard found >= 0 else { return false }
        defer { close(found) }
        return fileStatus(found).map { isKind($0, S_IFREG) }
    }
}
