import Glibc

/// An open file or block device of the host that is a disk of a machine.
struct DiskFile {
    /// What the emulator's child finds open beside the machine's own descriptors.
    static let limit = 4

    let descriptor: Int32
    let isReadOnly: Bool
    let isBlockDevice: Bool

    init(_ request: DiskRequest) throws(LaunchFailure) {
        isReadOnly = request.isReadOnly
        descriptor = openFile(request.path, isReadOnly ? O_RDONLY : O_RDWR)
        guard descriptor >= 0, let status = fileStatus(descriptor) else {
            let advice =
                !isReadOnly && (errno == EACCES || errno == EROFS || errno == EPERM)
                ? "; write --disk \(request.path):ro to read it only" : ""
            throw LaunchFailure("cannot open the disk \(request.path): \(lastErrorText())\(advice)")
        }
        isBlockDevice = isKind(status, S_IFBLK)
        guard isBlockDevice || isKind(status, S_IFREG) else {
            throw LaunchFailure(
                "the disk \(request.path) is no file with a disk's contents, and no block device"
            )
        }
    }

    static func open(_ requests: [DiskRequest]) throws(LaunchFailure) -> [DiskFile] {
        guard requests.count <= limit else {
            throw LaunchFailure("a machine has \(limit) disks at most; give fewer")
        }
        var disks: [DiskFile] = []
        for request in requests { disks.append(try DiskFile(request)) }
        return disks
    }
}
