import LinuxABI

/// Files by number and not by name: name_to_handle_at(2), open_by_handle_at(2).
public struct FileHandle: BitwiseCopyable {
    /// What Linux's tmpfs has in a handle: a generation and the number's two halves.
    private var generation: UInt32 = 0
    private var low: UInt32
    private var high: UInt32

    /// FILEID_INO32_GEN
    public static var type: Int32 { 1 }
    public static var size: Int { 12 }
    /// MAX_HANDLE_SZ
    public static var largestSize: UInt32 { 128 }

    private init(_ inode: Inode) {
        low = UInt32(truncatingIfNeeded: inode.number)
        high = UInt32(truncatingIfNeeded: inode.number >> 32)
    }

    private var number: UInt64 { UInt64(high) << 32 | UInt64(low) }

    /// The handle of what a path leads to, and its mount's number. Throws `notSupported` for files that are
    /// made when somebody looks.
    public static func make(_ place: VFS.Place, _ process: Process, _ flags: PathFlags)
        throws(Errno) -> (handle: FileHandle, mount: Int32)
    {
        guard case .dentry(let dentry) = try VFS.resolve(place, process, flags),
            let inode = dentry.inode
        else { throw .notSupported }
        guard inode.filesystem is MemoryFilesystem else { throw .notSupported }
        return (FileHandle(inode), Int32(truncatingIfNeeded: dentry.mount!.mountID))
    }

    /// As open_by_handle_at(2). Throws `staleHandle` when there is no such file any more.
    public func open(
        near directory: Int32,
        _ flags: OpenFlags,
        _ process: Process
    ) throws(Errno) -> OpenFile {
        var start = process.paths.workingDirectory!
        if directory != PathFlags.workingDirectory {
            guard let dentry = try process.descriptors.file(FileDescriptor(directory)).dentry else {
                throw .staleHandle
            }
            start = dentry
        }
        guard let root = start.inode?.filesystem.root else { throw .staleHandle }
        guard let found = try find(root) else { throw .staleHandle }
        if flags.contains(.path) { return PathFile(found, flags) }
        return try VFS.open(found, flags, Actor(process))
    }

    /// Looks for the number among the names that anybody has looked at: no others have a handle.
    private func find(_ root: Dentry) throws(Errno) -> Dentry? {
        if root.inode?.number == number { return root }
        var directories: [Dentry] = [root]
        while let directory = directories.popLast() {
            guard let inode = directory.inode as? MemoryDirectory else { continue }
            if let found = inode.firstEntry(where: { dentry in
                if dentry.inode?.number == number { return true }
                if dentry.inode?.mode.isDirectory == true { directories.append(dentry) }
                return false
            }) {
                return found
            }
        }
        return nil
    }
}
