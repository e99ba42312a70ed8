import LinuxABI

/// What somebody wants to do with a file; the bits are those of access(2).
struct AccessMode: OptionSet {
    let rawValue: UInt32

    static var execute: AccessMode { AccessMode(rawValue: 1) }
    static var write: AccessMode { AccessMode(rawValue: 2) }
    static var read: AccessMode { AccessMode(rawValue: 4) }
}

/// Who does it: the user and group that the checks of path_resolution(7) look at.
struct Actor {
    /// Nil for the kernel itself.
    unowned(unsafe) let process: Process?
    let user: UInt32
    let group: UInt32

    /// With the file-system identities, as all calls but access(2).
    @inline(__always)
    init(_ process: Process) {
        self.process = process
        user = process.credentials.fileSystemUser
        group = process.credentials.fileSystemGroup
    }

    /// With the real identities, as access(2).
    init(real process: Process) {
        self.process = process
        user = process.credentials.realUser
        group = process.credentials.realGroup
    }

    private init() {
        process = nil
        user = 0
        group = 0
    }

    /// The kernel itself, which may all.
    static var kernel: Actor { Actor() }

    @inline(__always)
    static var current: Actor { Actor(Process.current) }

    @inline(__always)
    var isRoot: Bool { user == 0 }

    func isInGroup(_ group: UInt32) -> Bool {
        group == self.group || process?.credentials.supplementaryGroups.contains(group) == true
    }

    /// Throws `permissionDenied` when the permissions of the file do not allow `access`.
    @inline(__always)
    func require(_ access: AccessMode, _ inode: Inode) throws(Errno) {
        if isRoot, !access.contains(.execute) || inode.mode.isDirectory { return }
        try check(access, inode)
    }

    @inline(never)
    private func check(_ access: AccessMode, _ inode: Inode) throws(Errno) {
        let permissions = inode.mode.permissions
        if isRoot {
            // Executing needs an execute bit, whoever it is for.
            guard permissions & 0o111 != 0 else { throw .permissionDenied }
            return
        }
        if user != inode.user, permissions & 0o70 != 0, let list = AccessList(of: inode) {
            guard list.allows(access, self, inode) else { throw .permissionDenied }
            return
        }
        let shift: UInt32 =
            user == inode.user ? 6 : isInGroup(inode.group) ? 3 : 0
        guard access.rawValue & ~(permissions >> shift) == 0 else { throw .permissionDenied }
    }

    /// Throws `notPermitted` when the file is somebody else's.
    func requireOwner(_ inode: Inode) throws(Errno) {
        guard isRoot || user == inode.user else { throw .notPermitted }
    }

    /// Whether a name may be taken out of a directory, with regard to the sticky bit.
    func requireRemovable(_ inode: Inode, from directory: Inode) throws(Errno) {
        try require([.write, .execute], directory)
        guard directory.mode.permissions & FileMode.sticky != 0, !isRoot else { return }
        guard user == directory.user || user == inode.user else { throw .notPermitted }
    }
}
