import FolderServer
import Glibc

/// A folder of the host that is shared, and open.
struct VolumeFolder {
    let request: VolumeRequest
    /// Names the folder (O_PATH).
    let descriptor: Int32
    /// Without symbolic links.
    let path: String

    init(_ request: VolumeRequest) throws(LaunchFailure) {
        self.request = request
        let folder = request.folder
        guard let path = absolutePath(folder), let status = fileStatus(path) else {
            let advice =
                errno == ENOENT ? "; make it first, as mkdir -p \(folder)" : "; check --volume"
            throw LaunchFailure("cannot share \(folder): \(lastErrorText())\(advice)")
        }
        guard isKind(status, S_IFDIR) else {
            throw LaunchFailure("cannot share \(folder): it is no folder; share the one it is in")
        }
        self.path = path
        // O_PATH, which Swift's overlay lacks
        descriptor = openFile(path, 0o10000000 | O_DIRECTORY)
        guard descriptor >= 0, access(path, R_OK | X_OK) == 0 else {
            throw LaunchFailure("cannot share \(folder): \(lastErrorText()); check its permissions")
        }
    }

    static func open(_ requests: [VolumeRequest]) throws(LaunchFailure) -> [VolumeFolder] {
        var folders: [VolumeFolder] = []
        for request in requests { folders.append(try VolumeFolder(request)) }
        return folders
    }

    /// The two ends of the socket over which a kernel in a process asks for files; nil without folders.
    static func serve(_ folders: [VolumeFolder]) throws(LaunchFailure) -> Int32? {
        guard !folders.isEmpty else { return nil }
        let ends = socketPair()
        guard ends.own >= 0 else {
            throw LaunchFailure("cannot make a socket for volumes: \(lastErrorText())")
        }
        raiseFileLimit()
        let connection = FolderConnection(
            socket: ends.own,
            servers: folders.map {
                FolderServer(folder: $0.descriptor, isReadOnly: $0.request.isReadOnly)
            }
        )
        guard connection.start() else {
            throw LaunchFailure("cannot start a thread for volumes: \(lastErrorText())")
        }
        return ends.other
    }

    /// Each file that the guest uses is a descriptor here.
    private static func raiseFileLimit() {
        var limit = rlimit()
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(files, &limit) == 0 else { return }
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 1 << 16))
        setrlimit(files, &limit)
    }
}
