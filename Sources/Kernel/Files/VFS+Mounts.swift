import LinuxABI

/// The flags of mount(2) that are kept, and how statfs(2) and /proc tell them.
struct MountOptions: OptionSet {
    let rawValue: UInt32

    /// MS_RDONLY and so on; the bits are those of mount(2).
    static var readOnly: MountOptions { MountOptions(rawValue: 1) }
    static var noSetID: MountOptions { MountOptions(rawValue: 2) }
    static var noDevices: MountOptions { MountOptions(rawValue: 4) }
    static var noExecution: MountOptions { MountOptions(rawValue: 8) }
    static var noAccessTime: MountOptions { MountOptions(rawValue: 1 << 10) }
    static var noDirectoryAccessTime: MountOptions { MountOptions(rawValue: 1 << 11) }

    static var known: MountOptions {
        [.readOnly, .noSetID, .noDevices, .noExecution, .noAccessTime, .noDirectoryAccessTime]
    }

    /// As `f_flags` of statfs(2) has them.
    var statusFlags: Int64 {
        let times: Int64 = contains(.noAccessTime) ? 0 : 0x1000
        return Int64(rawValue) | times
    }

    /// As /proc/PID/mounts has them.
    func append(to text: inout TextBuffer) {
        text.append(contains(.readOnly) ? "ro" : "rw")
        if contains(.noSetID) { text.append(",nosuid") }
        if contains(.noDevices) { text.append(",nodev") }
        if contains(.noExecution) { text.append(",noexec") }
        if contains(.noAccessTime) { text.append(",noatime") }
        if contains(.noDirectoryAccessTime) { text.append(",nodiratime") }
        if !contains(.noAccessTime) { text.append(",relatime") }
    }
}

/// mount(2), umount2(2), pivot_root(2).
extension VFS {
    /// What mount(2) is to do beside mounting something new.
    private enum MountAction: UInt32 {
        case remount = 0x20
        case bind = 0x1000
        case move = 0x2000
    }

    /// MS_REC and MS_SILENT, and those whose effect there is anyway: MS_SYNCHRONOUS, MS_DIRSYNC,
    /// MS_RELATIME, MS_I_VERSION, MS_LAZYTIME.
    private static let harmlessFlags: UInt32 =
        0x4000 | 0x8000 | 0x10 | 0x80 | 1 << 21 | 1 << 23 | 1 << 25
    /// MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE: what no mount propagates to is all of that.
    private static let privateFlags: UInt32 = 1 << 17 | 1 << 18 | 1 << 19
    /// MS_SHARED
    private static let sharedFlag: UInt32 = 1 << 20

    /// As mount(2). `source` and `type` are nil for null pointers.
    public static func mount(
        _ source: UnsafeRawBufferPointer?,
        on place: Place,
        type: UnsafeRawBufferPointer?,
        flags: UInt32,
        options: UnsafeRawBufferPointer,
        _ process: Process
    ) throws(Errno) {
        // MS_MGC_VAL
        let flags = flags & 0xffff_0000 == 0xc0ed_0000 ? flags & 0xffff : flags
        let target = try resolve(place, process)
        try requireMounter(process)
        if flags & MountAction.remount.rawValue != 0 {
            return try remount(target, flags, options, process)
        }
        if flags & MountAction.bind.rawValue != 0 {
            // MS_REC
            return try bind(source, to: target, recursively: flags & 0x4000 != 0, process)
        }
        if flags & (privateFlags | sharedFlag) != 0 { return try setPropagation(target, flags) }
        if flags & MountAction.move.rawValue != 0 { return try move(source, to: target, process) }
        let kept = try keptOptions(flags)
        guard let type else { throw .invalidArgument }
        let filesystem = try makeFilesystem(type, options)
        filesystem.source = source.map { Array($0) } ?? Array("none".utf8)
        filesystem.mountOptions = kept
        do throws(Errno) {
            guard target.inode!.mode.isDirectory else { throw .notDirectory }
            guard !target.isRemoved else { throw .noSuchFileOrDirectory }
        } catch {
            filesystem.discard()
            throw error
        }
        filesystem.mount(on: target)
    }

    private static func requireMounter(_ process: Process) throws(Errno) {
        guard process.credentials.effectiveUser == 0 else { throw .notPermitted }
    }

    private static func keptOptions(_ flags: UInt32) throws(Errno) -> MountOptions {
        let options = MountOptions(rawValue: flags & MountOptions.known.rawValue)
        let rest = flags & ~(MountOptions.known.rawValue | harmlessFlags)
        guard rest & ~MountAction.remount.rawValue == 0 else { throw .invalidArgument }
        return options
    }

    /// Throws `noSuchDevice` for a type that is not known.
    private static func makeFilesystem(
        _ type: UnsafeRawBufferPointer,
        _ options: UnsafeRawBufferPointer
    ) throws(Errno) -> Filesystem {
        if type.equals("tmpfs") {
            let filesystem = try MemoryFilesystem()
            do throws(Errno) { try filesystem.take(options: options, isNew: true) } catch {
                filesystem.discard()
                throw error
            }
            return filesystem
        }
        let isProc = type.equals("proc")
        guard isProc || type.equals("sysfs") else { throw .noSuchDevice }
        guard options.isEmpty else { throw .invalidArgument }
        return isProc ? try ProcFilesystem.make() : try SysFilesystem.make()
    }

    private static func mountedRoot(_ dentry: Dentry) throws(Errno) -> Filesystem {
        guard let filesystem = dentry.mountedFilesystem else { throw .invalidArgument }
        return filesystem
    }

    private static func remount(
        _ target: Dentry,
        _ flags: UInt32,
        _ options: UnsafeRawBufferPointer,
        _ process: Process
    ) throws(Errno) {
        let filesystem = try mountedRoot(target)
        let isOfMount = flags & MountAction.bind.rawValue != 0
        let flags = flags & ~MountAction.bind.rawValue
        // What is forbidden of the file system itself is forbidden in all its bind mounts too.
        if isOfMount, filesystem.isBound { throw .invalidArgument }
        if !isOfMount, let bind = filesystem as? BindMount {
            return try remount(bind.origin.root, flags, options, process)
        }
        var kept = try keptOptions(flags)
        let times: MountOptions = [.noAccessTime, .noDirectoryAccessTime]
        // MS_RELATIME
        if kept.isDisjoint(with: times), flags & 1 << 21 == 0 {
            kept.formUnion(filesystem.mountOptions.intersection(times))
        }
        if kept.contains(.readOnly), !filesystem.isReadOnly, filesystem.isOpenForWriting {
            throw .busy
        }
        if !isOfMount, let memory = filesystem as? MemoryFilesystem {
            try memory.take(options: options, isNew: false)
        }
        filesystem.mountOptions = kept
    }

    private static func setPropagation(_ target: Dentry, _ flags: UInt32) throws(Errno) {
        // One of them, with MS_REC and MS_SILENT.
        let kinds = flags & (privateFlags | sharedFlag)
        guard kinds.nonzeroBitCount == 1, flags & ~(kinds | 0xc000) == 0,
            kinds != sharedFlag
        else { throw .invalidArgument }
        _ = try mountedRoot(target)
    }

    private static func move(
        _ source: UnsafeRawBufferPointer?,
        to target: Dentry,
        _ process: Process
    ) throws(Errno) {
        guard let source, !source.isEmpty else { throw .invalidArgument }
        let from = try resolve(Place(source), process)
        let filesystem = try mountedRoot(from)
        guard filesystem.root.mountPoint != nil, filesystem.root === from,
            target.inode!.mode.isDirectory
        else { throw .invalidArgument }
        guard !from.contains(target) else { throw .tooManySymbolicLinks }
        filesystem.detach()
        filesystem.attach(to: target)
    }

    /// The flags of umount2(2).
    public struct UnmountFlags: OptionSet {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// MNT_FORCE, which changes nothing where nobody waits for a server.
        public static var force: UnmountFlags { UnmountFlags(rawValue: 1) }
        /// MNT_DETACH
        public static var detach: UnmountFlags { UnmountFlags(rawValue: 2) }
        /// MNT_EXPIRE
        public static var expire: UnmountFlags { UnmountFlags(rawValue: 4) }
        /// UMOUNT_NOFOLLOW
        public static var noFollow: UnmountFlags { UnmountFlags(rawValue: 8) }
    }

    /// As umount2(2).
    public static func unmount(_ place: Place, _ process: Process, _ flags: UnmountFlags)
        throws(Errno)
    {
        let target = try resolve(place, process, follow: !flags.contains(.noFollow))
        try requireMounter(process)
        let filesystem = try mountedRoot(target)
        if flags.contains(.expire), !flags.isDisjoint(with: [.force, .detach]) {
            throw .invalidArgument
        }
        // The root itself stays.
        guard filesystem.root.mountPoint != nil else { throw .busy }
        if flags.contains(.detach) { return filesystem.detachTree() }
        guard !filesystem.hasMountsInside, !filesystem.isInUse else { throw .busy }
        if flags.contains(.expire), !filesystem.isExpiring {
            filesystem.isExpiring = true
            throw .wouldBlock
        }
        guard !filesystem.isBound else { return filesystem.detachTree() }
        filesystem.tellUnmounted()
        filesystem.detach()
        filesystem.discard()
    }

    /// As pivot_root(2).
    public static func pivotRoot(_ new: Place, _ old: Place, _ process: Process) throws(Errno) {
        try requireMounter(process)
        let root = process.paths.root!
        let newRoot = try directoryOf(new, process)
        let putOld = try directoryOf(old, process)
        guard root.mount !== newRoot.mount, putOld.mount !== root.mount else { throw .busy }
        guard let oldTree = root.mountedFilesystem, let newTree = newRoot.mountedFilesystem,
            newRoot.mountPoint != nil,
            newRoot.contains(putOld), root.contains(newRoot)
        else { throw .invalidArgument }
        let place = root.mountPoint
        newTree.detach()
        if place != nil { oldTree.detach() }
        oldTree.attach(to: putOld)
        if let place { newTree.attach(to: place) }
        ProcessTable.forEach { other in
            guard let paths = other.paths else { return }
            if paths.root.isSame(as: root) { paths.root = newRoot }
            if paths.workingDirectory.isSame(as: root) { paths.workingDirectory = newRoot }
        }
    }

    private static func directoryOf(_ place: Place, _ process: Process) throws(Errno) -> Dentry {
        let dentry = try resolve(place, process)
        guard dentry.inode!.mode.isDirectory else { throw .notDirectory }
        return dentry
    }

    // MARK: Asking for file systems

    /// As ustat(2): free blocks and inodes of a mounted device. Throws `invalidArgument` without one.
    public static func deviceStatus(_ device: UInt64) throws(Errno) -> FilesystemStatusRecord {
        for filesystem in Filesystem.mounts where filesystem.device == device {
            return filesystem.status()
        }
        throw .invalidArgument
    }

    /// The types that sysfs(2) and /proc/filesystems tell of.
    public static let filesystemTypes: InlineArray<5, StaticString> = [
        "proc", "sysfs", "tmpfs", "devtmpfs", "erofs",
    ]
}

extension Dentry {
    /// The file system, or the part of one, that is mounted with this as its root.
    var mountedFilesystem: Filesystem? { Filesystem.mounts.first { $0.root === self } }
}
