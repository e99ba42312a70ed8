import LinuxABI

/// Paths and what is done with them: the services behind the calls that take a path.
public enum VFS {
    /// A path and where it begins: `directory` is a descriptor or `AT_FDCWD`.
    public struct Place {
        public var directory: Int32
        public var path: UnsafeRawBufferPointer

        @inline(__always)
        public init(_ directory: Int32, _ path: UnsafeRawBufferPointer) {
            self.directory = directory
            self.path = path
        }

        @inline(__always)
        public init(_ path: UnsafeRawBufferPointer) {
            self.init(PathFlags.workingDirectory, path)
        }

        /// A path of the kernel's own.
        init(_ path: StaticString) {
            directory = PathFlags.workingDirectory
            self.path = UnsafeRawBufferPointer(
                start: path.utf8Start,
                count: path.utf8CodeUnitCount
            )
        }

        var isAbsolute: Bool { !path.isEmpty && path[0] == 0x2f }
    }

    @inline(__always)
    static func walk(
        _ place: Place,
        _ process: Process,
        _ options: Walk.Options,
        actor: Actor? = nil
    ) throws(Errno) -> Walk {
        let context = process.paths.unsafelyUnwrapped
        let actor = actor ?? Actor(process)
        var start = Unmanaged.passUnretained(context.workingDirectory.unsafelyUnwrapped)
        if place.directory != PathFlags.workingDirectory,
            !place.isAbsolute || !options.isDisjoint(with: [.inRoot, .beneath])
        {
            // The descriptor keeps it.
            start = Unmanaged.passUnretained(try dentry(of: place.directory, process))
        }
        return try Walk(place.path, from: start, context, actor, options)
    }

    /// The dentry of a descriptor. Throws `badDescriptor`, and `notDirectory` when it has none.
    static func dentry(of descriptor: Int32, _ process: Process) throws(Errno) -> Dentry {
        let file = try process.descriptors.file(FileDescriptor(descriptor))
        guard let dentry = file.dentry else { throw .notDirectory }
        return dentry
    }

    /// What a path leads to.
    public static func resolve(_ place: Place, _ process: Process, follow: Bool = true)
        throws(Errno) -> Dentry
    {
        try walk(place, process, follow ? .follow : []).found
    }

    /// What a path, or with `AT_EMPTY_PATH` a descriptor, leads to.
    static func resolve(_ place: Place, _ process: Process, _ flags: PathFlags)
        throws(Errno) -> FileReference
    {
        if place.path.isEmpty, flags.contains(.emptyPath) {
            guard place.directory != PathFlags.workingDirectory else {
                return .dentry(process.paths.workingDirectory)
            }
            let file = try process.descriptors.file(FileDescriptor(place.directory))
            if let dentry = file.dentry { return .dentry(dentry) }
            return .file(file)
        }
        return .dentry(try resolve(place, process, follow: !flags.contains(.noFollow)))
    }

    /// A file that is named, or one that has no name.
    enum FileReference {
        case dentry(Dentry)
        case file(OpenFile)

        var dentry: Dentry? {
            switch self {
            case .dentry(let dentry): dentry
            case .file(let file): file.dentry
            }
        }

        /// Throws `invalidArgument` for files without an inode.
        var inode: Inode {
            get throws(Errno) {
                guard case .dentry(let dentry) = self, let inode = dentry.inode else {
                    throw .invalidArgument
                }
                return inode
            }
        }
    }

    // MARK: Status

    /// As stat(2) and lstat(2).
    @_optimize(speed)
    public static func status(
        _ place: Place,
        _ process: Process,
        follow: Bool,
        _ status: inout FileStatus
    ) throws(Errno) {
        let walk = try walk(place, process, follow ? .follow : [])
        try walk.lendFound { (dentry) throws(Errno) in
            try dentry.node.lend { (inode) throws(Errno) in try inode.fill(&status) }
        }
    }

    /// As fstat(2).
    @_optimize(speed)
    public static func status(
        _ descriptor: FileDescriptor,
        _ process: Process,
        _ status: inout FileStatus
    ) throws(Errno) {
        let file = try process.descriptors.lend(descriptor)
        try file.lend { (file) throws(Errno) in try file.fill(&status) }
    }

    /// As fstatat(2) and statx(2); returns the mount's number.
    @_optimize(speed)
    public static func status(
        _ place: Place,
        _ process: Process,
        _ flags: PathFlags,
        _ status: inout FileStatus
    ) throws(Errno) -> UInt64 {
        switch try resolve(place, process, flags) {
        case .dentry(let dentry):
            try dentry.inode!.fill(&status)
            return dentry.mount!.mountID
        case .file(let file):
            try file.fill(&status)
            return 0
        }
    }

    /// As statfs(2).
    public static func filesystemStatus(_ place: Place, _ process: Process)
        throws(Errno) -> FilesystemStatusRecord
    {
        try resolve(place, process).mount!.status()
    }

    /// As faccessat2(2); `mode` has the bits of access(2).
    public static func checkAccess(
        _ place: Place,
        _ process: Process,
        mode: UInt32,
        _ flags: PathFlags
    ) throws(Errno) {
        let actor =
            flags.contains(.effectiveAccess) ? Actor(process) : Actor(real: process)
        if place.path.isEmpty, flags.contains(.emptyPath) {
            return try actor.require(
                AccessMode(rawValue: mode),
                try resolve(place, process, flags).inode
            )
        }
        let options: Walk.Options = flags.contains(.noFollow) ? [] : .follow
        let dentry = try walk(place, process, options, actor: actor).found
        let inode = dentry.inode!
        if mode & 2 != 0, !inode.mode.isKind(.characterDevice), !inode.mode.isKind(.pipe) {
            try dentry.requireWritable()
        }
        try actor.require(AccessMode(rawValue: mode), inode)
    }

    // MARK: Where one is

    /// As getcwd(2): the path without its NUL. A directory outside the root, or one that was
    /// removed, is told as Linux does.
    public static func workingDirectory(_ process: Process) throws(Errno) -> [UInt8] {
        let directory = process.paths.workingDirectory!
        guard !directory.isRemoved else { throw .noSuchFileOrDirectory }
        var text = TextBuffer()
        guard directory.appendPath(to: &text, from: process.paths.root) else {
            var unreachable = TextBuffer()
            unreachable.append("(unreachable)")
            unreachable.append(text.bytes)
            return unreachable.bytes
        }
        return text.bytes
    }

    /// As chdir(2).
    public static func changeDirectory(_ place: Place, _ process: Process) throws(Errno) {
        process.paths.workingDirectory = try directory(try resolve(place, process), process)
    }

    /// As fchdir(2).
    public static func changeDirectory(_ descriptor: FileDescriptor, _ process: Process)
        throws(Errno)
    {
        guard let dentry = try process.descriptors.file(descriptor).dentry else {
            throw .notDirectory
        }
        process.paths.workingDirectory = try directory(dentry, process)
    }

    /// As chroot(2).
    public static func changeRoot(_ place: Place, _ process: Process) throws(Errno) {
        let root = try directory(try resolve(place, process), process)
        guard process.credentials.effectiveUser == 0 else { throw .notPermitted }
        process.paths.root = root
    }

    private static func directory(_ dentry: Dentry, _ process: Process) throws(Errno) -> Dentry {
        guard dentry.inode!.mode.isDirectory else { throw .notDirectory }
        try Actor(process).require(.execute, dentry.inode!)
        return dentry
    }
}
