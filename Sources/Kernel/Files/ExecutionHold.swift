import LinuxABI

/// Keeps a file from being written while a program runs from it.
final class ExecutionHold {
    private let inode: Inode

    /// Throws `textFileBusy` while the file is open for writing.
    init(_ inode: Inode) throws(Errno) {
        guard inode.writers <= 0 else { throw .textFileBusy }
        self.inode = inode
        inode.writers -= 1
    }

    deinit { inode.writers += 1 }
}
