import Glibc
import TenderSupport

/// Walks a folder of the host without following links (fts(3)).
enum FileTree {
    /// One entry, valid only while it is visited.
    struct Entry {
        let node: UnsafeMutablePointer<FTSENT>

        /// The whole path; bytes, as names have no promised encoding.
        var path: UnsafePointer<CChar> { UnsafePointer(node.pointee.fts_path) }
        var pathBytes: UnsafeRawBufferPointer {
            UnsafeRawBufferPointer(start: path, count: Int(node.pointee.fts_pathlen))
        }
        var status: UnsafePointer<stat> { UnsafePointer(node.pointee.fts_statp) }
        var isDirectory: Bool { kind == FTS_D || kind == FTS_DP }
        /// Before what a folder holds.
        var isBefore: Bool { kind == FTS_D }
        /// After what a folder holds.
        var isAfter: Bool { kind == FTS_DP }
        /// The error that hides this entry, or 0.
        var failure: Int32 {
            kind == FTS_DNR || kind == FTS_ERR || kind == FTS_NS ? node.pointee.fts_errno : 0
        }

        private var kind: Int32 { Int32(node.pointee.fts_info) }
    }

    /// Visits `root` and all below it, folders twice; false when `root` cannot be walked.
    @discardableResult
    static func walk<Failure: Error>(
        _ root: String,
        _ visit: (Entry) throws(Failure) -> Void
    ) throws(Failure) -> Bool {
        guard let copy = strdup(root) else { return false }
        defer { free(copy) }
        var roots: [UnsafeMutablePointer<CChar>?] = [copy, nil]
        guard let walk = fts_open(&roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, nil) else {
            return false
        }
        defer { fts_close(walk) }
        while let node = fts_read(walk) { try visit(Entry(node: node)) }
        return true
    }

    /// Removes a folder and all below it, also where its own permissions forbid that.
    static func remove(_ root: String) {
        walk(root) { entry in
            if entry.isBefore {
                chmod(entry.path, entry.status.pointee.st_mode | S_IRWXU)
            } else if entry.isDirectory {
                rmdir(entry.path)
            } else {
                unlink(entry.path)
            }
        }
    }
}
