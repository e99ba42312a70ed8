import Glibc

/// A digest of a folder that changes when anything in it does, found without reading any file.
///
/// Each entry counts with its path, type, mode, owner, size, inode and times. A file cannot change
/// without its change time (inode(7)), so an equal digest means an unchanged tree.
struct TreeManifest {
    private var digest = SHA256()

    /// The digest of what is at `path`: a folder with all below it, or one file.
    static func digest(of path: String) throws(LaunchFailure) -> String {
        var manifest = TreeManifest()
        let walked = try FileTree.walk(path) { entry throws(LaunchFailure) in
            guard entry.failure == 0 else {
                errno = entry.failure
                throw unreadable(String(cString: entry.path))
            }
            if !entry.isAfter { manifest.add(entry) }
        }
        guard walked else { throw unreadable(path) }
        return manifest.digest.hexadecimal()
    }

    private mutating func add(_ entry: FileTree.Entry) {
        let status = entry.status.pointee
        let numbers: [UInt64] = [
            UInt64(entry.pathBytes.count), UInt64(status.st_mode), UInt64(status.st_uid),
            UInt64(status.st_gid), UInt64(bitPattern: Int64(status.st_size)), UInt64(status.st_ino),
            UInt64(status.st_dev), UInt64(status.st_rdev),
            UInt64(bitPattern: Int64(status.st_mtim.tv_sec)),
            UInt64(bitPattern: Int64(status.st_mtim.tv_nsec)),
            UInt64(bitPattern: Int64(status.st_ctim.tv_sec)),
            UInt64(bitPattern: Int64(status.st_ctim.tv_nsec)),
        ]
        digest.update(entry.pathBytes)
        numbers.withUnsafeBytes { digest.update($0) }
    }

    private static func unreadable(_ path: String) -> LaunchFailure {
        LaunchFailure(
            "cannot read \(path) for the root image: \(lastErrorText()); correct its permissions, "
                + "or run unirun as its owner"
        )
    }
}
