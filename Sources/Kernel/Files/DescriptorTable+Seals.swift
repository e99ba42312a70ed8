import LinuxABI

/// Files in memory that no directory names, and what their makers forbid.
extension DescriptorTable {
    /// As memfd_create(2).
    public func makeMemoryFile(
        _ name: UnsafeRawBufferPointer,
        permissions: UInt32,
        seals: FileSeals,
        closesOnExec: Bool
    ) throws(Errno) -> FileDescriptor {
        guard name.count <= 249 else { throw .invalidArgument }
        try checkRoom()
        let filesystem = try VFS.memoryFiles()
        let credentials = Process.current.credentials
        let node = NewNode(
            mode: FileMode(.regular, permissions: permissions),
            user: credentials.fileSystemUser,
            group: credentials.fileSystemGroup
        )
        let inode = MemoryFile(filesystem, node)
        inode.links = 0
        inode.seals = seals
        let text = Array("memfd:".utf8) + Array(name)
        var made: Dentry? = nil
        var failure: Errno? = nil
        text.withUnsafeBytes { bytes in
            do throws(Errno) {
                made = try Dentry(Name(bytes), inode, in: filesystem.root)
            } catch { failure = error }
        }
        if let failure { throw failure }
        made!.isRemoved = true
        let file = RegularFile(inode, made!, .readWrite, isMemoryFile: true)
        return try insert(file, closesOnExec: closesOnExec)
    }

    /// As fcntl(F_GET_SEALS).
    public func seals(_ descriptor: FileDescriptor) throws(Errno) -> FileSeals {
        try sealable(descriptor).seals
    }

    /// As fcntl(F_ADD_SEALS).
    public func addSeals(_ descriptor: FileDescriptor, _ seals: FileSeals) throws(Errno) {
        let file = try file(descriptor)
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        guard file.traits.contains(.writable) else { throw .notPermitted }
        guard seals.isSubset(of: .all) else { throw .invalidArgument }
        try sealable(descriptor).add(seals)
    }

    private func sealable(_ descriptor: FileDescriptor) throws(Errno) -> MemoryFile {
        let file = try file(descriptor)
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        guard let file = file as? RegularFile else { throw .invalidArgument }
        return file.file
    }
}

extension MemoryFile {
    /// Throws `notPermitted` when no more may be added, and `busy` when somebody could still write
    /// by a mapping.
    func add(_ added: FileSeals) throws(Errno) {
        guard !seals.contains(.seal) else { throw .notPermitted }
        var added = added
        // What may be executed is not to be changed either.
        if added.contains(.execution), mode.permissions & 0o111 != 0 {
            added.formUnion([.shrink, .grow, .write, .futureWrite])
        }
        if added.contains(.write), !seals.contains(.write), AddressSpace.mayWrite(self) {
            throw .busy
        }
        seals.formUnion(added)
    }
}

extension VFS {
    nonisolated(unsafe) private static var memoryFilesystem: MemoryFilesystem?

    /// The file system of files that memfd_create(2) makes; it is mounted nowhere.
    static func memoryFiles() throws(Errno) -> MemoryFilesystem {
        if let memoryFilesystem { return memoryFilesystem }
        let made = try MemoryFilesystem()
        memoryFilesystem = made
        return made
    }

    static func forgetMemoryFiles() { memoryFilesystem = nil }
}
