import LinuxABI

/// Keeps a file from being written while a program runs from it.
final class ExecutionHold {
    private let inode: Inode

    private init(_ inode: Inode) {
        self.inode = inode
        inode.writers -= 1
    }

    /// Throws `textFileBusy` while the file is open for writing.
    static func take(_ inode: Inode) throws(Errno) -> ExecutionHold {
        guard inode.writers <= 0 else { throw .textFileBusy }
        return ExecutionHold(inode)
    }

    deinit { inode.writers += 1 }
}
