import LinuxABI

extension VFS {
    /// How openat2(2) restricts the way of a path.
    public struct ResolveFlags: OptionSet {
        public let rawValue: UInt64
        public init(rawValue: UInt64) { self.rawValue = rawValue }

        /// RESOLVE_NO_XDEV, _NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH, _IN_ROOT
        public static var supported: ResolveFlags { ResolveFlags(rawValue: 0x1f) }

        var options: Walk.Options { Walk.Options(rawValue: UInt32(rawValue & 0x1f) << 2) }
    }

    /// As openat2(2). `mode` has the permissions of a file that is made.
    @_optimize(speed)
    public static func open(
        _ place: Place,
        _ process: Process,
        _ flags: OpenFlags,
        mode: UInt32,
        _ resolve: ResolveFlags = []
    ) throws(Errno) -> OpenFile {
        if flags.contains(.temporaryFile) {
            return try openTemporary(place, process, flags, mode: mode)
        }
        // O_CREAT with O_DIRECTORY makes no directory.
        guard flags.contains(.path) || !flags.isSuperset(of: [.create, .directory]) else {
            throw .invalidArgument
        }
        var options = resolve.options
        let isNew = flags.isSuperset(of: [.create, .exclusive])
        if !flags.contains(.noFollow), !isNew { options.insert(.follow) }
        let actor = Actor(process)
        let walk = try walk(place, process, options, actor: actor)
        if flags.contains(.path) { return try openPath(walk, flags) }
        guard walk.target != nil else {
            return try openNew(walk, process, flags, mode: mode, actor)
        }
        guard !isNew else { throw .fileExists }
        return try walk.lendFound { (dentry) throws(Errno) in try open(dentry, flags, actor) }
    }

    /// Opens what a walk led to.
    @inline(__always)
    static func open(_ dentry: Dentry, _ flags: OpenFlags, _ actor: Actor)
        throws(Errno) -> OpenFile
    {
        try dentry.node.lend { (inode) throws(Errno) in try open(inode, dentry, flags, actor) }
    }

    @_optimize(speed)
    private static func open(_ inode: Inode, _ dentry: Dentry, _ flags: OpenFlags, _ actor: Actor)
        throws(Errno) -> OpenFile
    {
        if inode.mode.isDirectory {
            guard !flags.isWritable, flags.isDisjoint(with: [.create, .truncate]) else {
                throw .isDirectory
            }
        } else {
            guard !flags.contains(.directory) else { throw .notDirectory }
            guard !inode.mode.isSymbolicLink else { throw .tooManySymbolicLinks }
        }
        var access: AccessMode = flags.isReadable ? .read : []
        if flags.isWritable || flags.contains(.truncate) {
            access.insert(.write)
            if inode.mode.isRegular { try dentry.requireWritable() }
        }
        try actor.require(access, inode)
        if flags.contains(.noAccessTime) { try actor.requireOwner(inode) }
        let file = try inode.open(dentry, flags)
        FileWatches.tell(.opened, dentry)
        if flags.contains(.truncate), inode.mode.isRegular {
            try inode.truncate(to: 0)
            FileWatches.tell(.written, dentry)
        }
        return file
    }

    /// Opens a file for the kernel itself, as execve(2) does: it must be a regular file that the
    /// process may execute.
    public static func openExecutable(_ place: Place, _ process: Process, _ flags: PathFlags = [])
        throws(Errno) -> OpenFile
    {
        guard case .dentry(let dentry) = try resolve(place, process, flags) else {
            throw .permissionDenied
        }
        let inode = dentry.inode!
        guard !inode.mode.isSymbolicLink else { throw .tooManySymbolicLinks }
        guard inode.mode.isRegular else { throw .permissionDenied }
        try Actor(process).require(.execute, inode)
        guard dentry.mount?.mountOptions.contains(.noExecution) != true else {
            throw .permissionDenied
        }
        let file = try inode.open(dentry, [])
        FileWatches.tell([.opened], dentry)
        FileWatches.tell([.read], dentry)
        return file
    }

    private static func openPath(_ walk: borrowing Walk, _ flags: OpenFlags) throws(Errno)
        -> OpenFile
    {
        let dentry = try walk.found
        if flags.contains(.directory), !dentry.inode!.mode.isDirectory { throw .notDirectory }
        return PathFile(dentry, flags)
    }

    private static func openNew(
        _ walk: borrowing Walk,
        _ process: Process,
        _ flags: OpenFlags,
        mode: UInt32,
        _ actor: Actor
    ) throws(Errno) -> OpenFile {
        guard flags.contains(.create) else { throw .noSuchFileOrDirectory }
        guard !walk.hasTrailingSlash else { throw .isDirectory }
        let parent = walk.parent.takeUnretainedValue()
        let node = newNode(.regular, mode, in: parent.inode!, process)
        let dentry = try create(walk, node, actor)
        let file = try dentry.inode!.open(dentry, flags)
        FileWatches.tell(.opened, dentry)
        return file
    }

    private static func openTemporary(
        _ place: Place,
        _ process: Process,
        _ flags: OpenFlags,
        mode: UInt32
    ) throws(Errno) -> OpenFile {
        guard flags.contains(.directory), flags.isWritable else { throw .invalidArgument }
        let directory = try resolve(place, process)
        guard let inode = directory.inode as? MemoryDirectory else { throw .notSupported }
        try directory.requireWritable()
        try Actor(process).require([.write, .execute], inode)
        let node = newNode(.regular, mode, in: inode, process)
        let file = MemoryFile(inode.memory, node)
        try AccessList.inherit(file, from: inode)
        file.links = 0
        let dentry = try Dentry(Name("#temporary"), file, in: directory)
        dentry.isRemoved = true
        return try file.open(dentry, flags.subtracting([.temporaryFile, .directory]))
    }

    // MARK: Making names

    /// What a process makes in a directory belongs to it, or to the directory's group.
    static func newNode(
        _ kind: FileKind,
        _ permissions: UInt32,
        in directory: Inode,
        _ process: Process,
        device: UInt64 = 0
    ) -> NewNode {
        var permissions = permissions & FileMode.permissionMask
        if AccessList(of: directory, .forNewFiles) == nil {
            permissions &= ~process.paths.creationMask
        }
        var group = process.credentials.fileSystemGroup
        if directory.mode.permissions & FileMode.setGroupID != 0 {
            group = directory.group
            if kind == .directory { permissions |= FileMode.setGroupID }
        }
        return NewNode(
            mode: FileMode(kind, permissions: permissions),
            user: process.credentials.fileSystemUser,
            group: group,
            device: device
        )
    }

    /// Makes the last name of a walk, which is missing.
    @discardableResult
    static func create(_ walk: borrowing Walk, _ node: NewNode, _ actor: Actor) throws(Errno)
        -> Dentry
    {
        guard walk.target == nil, let name = walk.lastName else { throw .fileExists }
        let place = walk.parent.takeUnretainedValue()
        let parent = place.real
        let inode = parent.inode!
        guard !parent.isRemoved else { throw .noSuchFileOrDirectory }
        try place.requireWritable()
        try actor.require([.write, .execute], inode)
        let made = try inode.create(name, in: parent, node)
        if inode.attributes != nil {
            do throws(Errno) { try AccessList.inherit(made.inode!, from: inode) } catch {
                try? inode.remove(made)
                throw error
            }
        }
        FileWatches.tellName(.created, name, of: made.inode!, in: inode)
        return place === parent ? made : try place.alias(for: made)
    }
}

/// A file opened with O_PATH: a place, and no access to what is there.
final class PathFile: OpenFile {
    init(_ dentry: Dentry, _ flags: OpenFlags) {
        super.init(
            flags: OpenFlags.path.union(flags.intersection([.directory, .noFollow])),
            dentry: dentry
        )
    }

    override func fill(_ status: inout FileStatus) throws(Errno) {
        try dentry!.inode!.fill(&status)
    }

    override func seek(_ offset: Int, _ origin: SeekOrigin) throws(Errno) -> Int {
        throw .badDescriptor
    }
}
