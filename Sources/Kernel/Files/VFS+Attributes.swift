import LinuxABI

/// Changing what stat(2) tells.
extension VFS {
    /// As fchmodat2(2).
    public static func changeMode(
        _ place: Place,
        _ process: Process,
        permissions: UInt32,
        _ flags: PathFlags
    ) throws(Errno) {
        let found = try resolve(place, process, flags)
        try changeMode(try found.inode, found.dentry, process, permissions)
        FileWatches.tell(.attributes, found.dentry)
    }

    /// As fchmod(2).
    public static func changeMode(
        _ descriptor: FileDescriptor,
        _ process: Process,
        permissions: UInt32
    ) throws(Errno) {
        let inode = try inode(of: descriptor, process)
        let dentry = try process.descriptors.file(descriptor).dentry
        try changeMode(inode, dentry, process, permissions)
        FileWatches.tell(.attributes, dentry)
    }

    private static func changeMode(
        _ inode: Inode,
        _ dentry: Dentry?,
        _ process: Process,
        _ permissions: UInt32
    ) throws(Errno) {
        let actor = Actor(process)
        try requireWritable(inode, dentry)
        try actor.requireOwner(inode)
        guard !inode.mode.isSymbolicLink else { throw .notSupported }
        var permissions = permissions & FileMode.permissionMask
        if !actor.isRoot, !actor.isInGroup(inode.group) { permissions &= ~FileMode.setGroupID }
        try inode.setAttributes(AttributeChange(permissions: permissions))
        AccessList(of: inode)?.take(modeBits: permissions)
    }

    /// As fchownat(2); `UInt32.max` leaves the user or the group as it is.
    public static func changeOwner(
        _ place: Place,
        _ process: Process,
        user: UInt32,
        group: UInt32,
        _ flags: PathFlags
    ) throws(Errno) {
        let found = try resolve(place, process, flags)
        try changeOwner(try found.inode, found.dentry, process, user, group)
        if user != .max || group != .max { FileWatches.tell(.attributes, found.dentry) }
    }

    /// As fchown(2).
    public static func changeOwner(
        _ descriptor: FileDescriptor,
        _ process: Process,
        user: UInt32,
        group: UInt32
    ) throws(Errno) {
        let inode = try inode(of: descriptor, process)
        let dentry = try process.descriptors.file(descriptor).dentry
        try changeOwner(inode, dentry, process, user, group)
        guard user != .max || group != .max else { return }
        FileWatches.tell(.attributes, dentry)
    }

    private static func changeOwner(
        _ inode: Inode,
        _ dentry: Dentry?,
        _ process: Process,
        _ user: UInt32,
        _ group: UInt32
    ) throws(Errno) {
        let actor = Actor(process)
        try requireWritable(inode, dentry)
        var change = AttributeChange()
        if user != .max { change.user = user }
        if group != .max { change.group = group }
        if !actor.isRoot {
            try actor.requireOwner(inode)
            guard user == .max || user == inode.user else { throw .notPermitted }
            guard group == .max || actor.isInGroup(group) else { throw .notPermitted }
        }
        // A file that runs as its owner must not run as its new one.
        if !inode.mode.isDirectory {
            var permissions = inode.mode.permissions & ~FileMode.setUserID
            if permissions & 0o10 != 0 { permissions &= ~FileMode.setGroupID }
            change.permissions = permissions
        }
        try inode.setAttributes(change)
    }

    /// As utimensat(2); nil for `now`.
    public static func changeTimes(
        _ place: Place,
        _ process: Process,
        _ times: (FileTime, FileTime)?,
        _ flags: PathFlags
    ) throws(Errno) {
        let found = try resolve(place, process, flags)
        try changeTimes(try found.inode, found.dentry, process, times)
    }

    /// As futimens(3).
    public static func changeTimes(
        _ descriptor: FileDescriptor,
        _ process: Process,
        _ times: (FileTime, FileTime)?
    ) throws(Errno) {
        let inode = try inode(of: descriptor, process)
        let dentry = try process.descriptors.file(descriptor).dentry
        try changeTimes(inode, dentry, process, times)
    }

    private static func changeTimes(
        _ inode: Inode,
        _ dentry: Dentry?,
        _ process: Process,
        _ times: (FileTime, FileTime)?
    ) throws(Errno) {
        let actor = Actor(process)
        var change = AttributeChange()
        let current = CoarseClock.now()
        var isNow = true
        if let times {
            isNow =
                times.0.nanoseconds == FileTime.nowMark && times.1.nanoseconds == FileTime.nowMark
            change.accessTime = try resolve(times.0, current)
            change.modificationTime = try resolve(times.1, current)
            guard change.accessTime != nil || change.modificationTime != nil else { return }
        } else {
            change.accessTime = current
            change.modificationTime = current
        }
        try requireWritable(inode, dentry)
        if isNow {
            // Whoever may write may also say that it is new.
            if !actor.isRoot, actor.user != inode.user { try actor.require(.write, inode) }
        } else {
            try actor.requireOwner(inode)
        }
        try inode.setAttributes(change)
        guard !FileWatches.isIdle else { return }
        // One time alone is what reading or writing would have changed.
        let events: WatchEvents =
            change.modificationTime == nil
            ? .read : change.accessTime == nil ? .written : .attributes
        FileWatches.tell(events, dentry)
    }

    private static func resolve(_ time: FileTime, _ current: FileTime) throws(Errno) -> FileTime? {
        switch time.nanoseconds {
        case FileTime.nowMark: return current
        case FileTime.omitMark: return nil
        case 0..<1_000_000_000: return time
        default: throw .invalidArgument
        }
    }

    /// As truncate(2).
    public static func truncate(_ place: Place, _ process: Process, to size: Int) throws(Errno) {
        guard size >= 0 else { throw .invalidArgument }
        let dentry = try resolve(place, process)
        let inode = dentry.inode!
        guard !inode.mode.isDirectory else { throw .isDirectory }
        guard inode.mode.isRegular else { throw .invalidArgument }
        try dentry.requireWritable()
        try Actor(process).require(.write, inode)
        try checkFileSize(size, process)
        try inode.requireNotExecuting()
        try inode.truncate(to: size)
        FileWatches.tell(.written, dentry)
    }

    /// As ftruncate(2).
    public static func truncate(_ descriptor: FileDescriptor, _ process: Process, to size: Int)
        throws(Errno)
    {
        let file = try process.descriptors.file(descriptor)
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        guard size >= 0, file.traits.contains(.writable) else { throw .invalidArgument }
        try checkFileSize(size, process)
        try file.truncate(to: size)
        FileWatches.tell(.written, file.dentry)
    }

    /// RLIMIT_FSIZE.
    static func checkFileSize(_ size: Int, _ process: Process) throws(Errno) {
        guard UInt64(size) <= process.limits[.fileSize].current else { throw .fileTooLarge }
    }

    /// Whether a file may be changed by the way that led to it.
    private static func requireWritable(_ inode: Inode, _ dentry: Dentry?) throws(Errno) {
        guard let dentry else { return try inode.requireWritable() }
        try dentry.requireWritable()
    }

    static func inode(of descriptor: FileDescriptor, _ process: Process) throws(Errno) -> Inode {
        let file = try process.descriptors.file(descriptor)
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        guard let inode = file.inode else { throw .invalidArgument }
        return inode
    }
}
