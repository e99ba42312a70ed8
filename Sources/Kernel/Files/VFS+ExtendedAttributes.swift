import LinuxABI

/// Who may read and change extended attributes: xattr(7).
extension VFS {
    /// Bytes of a value at most.
    public static var largestAttribute: Int { ExtendedAttributes.largestValue }
    /// Bytes of all names at most.
    public static var largestAttributeList: Int { ExtendedAttributes.largestList }

    /// The file whose attributes are meant.
    public struct AttributeOwner {
        fileprivate let dentry: Dentry?
        fileprivate var inode: Inode? { dentry?.inode }
        fileprivate let mode: FileMode

        /// What a path leads to.
        public init(_ place: Place, _ process: Process, follow: Bool) throws(Errno) {
            let dentry = try VFS.resolve(place, process, follow: follow)
            self.dentry = dentry
            mode = dentry.inode!.mode
        }

        /// An open file. Throws `badDescriptor` for O_PATH.
        public init(_ descriptor: FileDescriptor, _ process: Process) throws(Errno) {
            let file = try process.descriptors.file(descriptor)
            guard !file.flags.contains(.path) else { throw .badDescriptor }
            dentry = file.dentry
            mode = FileMode(rawValue: try file.status().mode)
        }

        /// Throws `notSupported` where there can be none.
        fileprivate var keeper: Inode {
            get throws(Errno) {
                guard let inode, inode.filesystem.keepsAttributes else { throw .notSupported }
                return inode
            }
        }
    }

    /// When setxattr(2) is to fail: XATTR_CREATE and XATTR_REPLACE.
    public struct AttributeFlags: OptionSet {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static var create: AttributeFlags { AttributeFlags(rawValue: 1) }
        public static var replace: AttributeFlags { AttributeFlags(rawValue: 2) }
    }

    /// As setxattr(2). The value is the kernel's copy.
    public static func setAttribute(
        of owner: AttributeOwner,
        _ process: Process,
        _ name: UnsafeRawBufferPointer,
        _ value: UnsafeMutableRawBufferPointer,
        _ flags: AttributeFlags
    ) throws(Errno) {
        try owner.dentry?.requireWritable()
        let actor = Actor(process)
        if let kind = AccessList.Kind(name) {
            try setAccessList(of: owner, actor, kind, value)
            return FileWatches.tell(.attributes, owner.dentry)
        }
        try requireAccess(to: owner, actor, name, .write)
        try checkCapability(name, value, actor)
        let inode = try keeper(of: owner, name)
        let isThere = inode.attributes?.value(of: name) != nil
        if isThere, flags.contains(.create) { throw .fileExists }
        if !isThere, flags.contains(.replace) { throw .noData }
        try inode.setAttribute(name, UnsafeRawBufferPointer(value))
        inode.changeTime = CoarseClock.now()
        FileWatches.tell(.attributes, owner.dentry)
    }

    /// As getxattr(2): lends the value to `body`.
    public static func withAttribute(
        of owner: AttributeOwner,
        _ process: Process,
        _ name: UnsafeRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws(Errno) -> Void
    ) throws(Errno) {
        let inode: Inode
        if AccessList.Kind(name) != nil {
            guard !owner.mode.isSymbolicLink else { throw .notSupported }
            inode = try owner.keeper
        } else {
            try requireAccess(to: owner, Actor(process), name, .read)
            inode = try keeper(of: owner, name)
        }
        guard let value = inode.attributes?.value(of: name) else { throw .noData }
        try body(value)
    }

    /// As listxattr(2): calls `body` with each name.
    public static func forEachAttribute(
        of owner: AttributeOwner,
        _ process: Process,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        let seesTrusted = Actor(process).isRoot
        owner.inode?.attributes?.forEachName { name in
            if seesTrusted || !name.hasPrefix("trusted.") { body(name) }
        }
    }

    /// As removexattr(2).
    public static func removeAttribute(
        of owner: AttributeOwner,
        _ process: Process,
        _ name: UnsafeRawBufferPointer
    ) throws(Errno) {
        try owner.dentry?.requireWritable()
        let actor = Actor(process)
        if let kind = AccessList.Kind(name) {
            let inode = try listKeeper(owner)
            if kind == .access || owner.mode.isDirectory { try actor.requireOwner(inode) }
            try AccessList.set(kind, nil, of: inode, actor)
            return FileWatches.tell(.attributes, owner.dentry)
        }
        try requireAccess(to: owner, actor, name, .write)
        if name.hasPrefix("security."), !actor.isRoot { throw .notPermitted }
        let inode = try keeper(of: owner, name)
        guard inode.attributes?.remove(name) == true else { throw .noData }
        inode.changeTime = CoarseClock.now()
        FileWatches.tell(.attributes, owner.dentry)
    }

    // MARK: Rules

    /// What the part of a name before the dot demands, then the file's permissions. What is only refused
    /// to be changed looks as if it was not there.
    private static func requireAccess(
        to owner: AttributeOwner,
        _ actor: Actor,
        _ name: UnsafeRawBufferPointer,
        _ access: AccessMode
    ) throws(Errno) {
        if name.hasPrefix("security.") || name.hasPrefix("system.") { return }
        let isWriting = access == .write
        if name.hasPrefix("trusted.") {
            guard actor.isRoot else { throw isWriting ? .notPermitted : .noData }
            return
        }
        if name.hasPrefix("user.") {
            guard owner.mode.isRegular || owner.mode.isDirectory else {
                throw isWriting ? .notPermitted : .noData
            }
            if owner.mode.isDirectory, owner.mode.permissions & FileMode.sticky != 0, isWriting,
                let inode = owner.inode
            {
                try actor.requireOwner(inode)
            }
        }
        if let inode = owner.inode { try actor.require(access, inode) }
    }

    /// The inode that keeps an attribute of this name. Throws `notSupported`, and `invalidArgument` for a
    /// name that ends with its first dot.
    private static func keeper(of owner: AttributeOwner, _ name: UnsafeRawBufferPointer)
        throws(Errno) -> Inode
    {
        let inode = try owner.keeper
        for prefix in [StaticString("user."), "trusted.", "security."] where name.hasPrefix(prefix)
        {
            guard name.count > prefix.utf8CodeUnitCount else { throw .invalidArgument }
            return inode
        }
        throw .notSupported
    }

    /// security.*, which only root may set; and capabilities of a file, which have a form.
    private static func checkCapability(
        _ name: UnsafeRawBufferPointer,
        _ value: UnsafeMutableRawBufferPointer,
        _ actor: Actor
    ) throws(Errno) {
        guard name.hasPrefix("security.") else { return }
        if name.equals("security.capability"), value.count > 0 {
            guard value.count >= 4 else { throw .invalidArgument }
            // VFS_CAP_REVISION_2 and _3
            switch (value.loadUnaligned(as: UInt32.self) >> 24, value.count) {
            case (2, 20), (3, 24): break
            default: throw .invalidArgument
            }
        }
        guard actor.isRoot else { throw .notPermitted }
    }

    private static func listKeeper(_ owner: AttributeOwner) throws(Errno) -> Inode {
        guard !owner.mode.isSymbolicLink else { throw .notSupported }
        return try owner.keeper
    }

    private static func setAccessList(
        of owner: AttributeOwner,
        _ actor: Actor,
        _ kind: AccessList.Kind,
        _ value: UnsafeMutableRawBufferPointer
    ) throws(Errno) {
        // The version is looked at before the file is, the entries when somebody may set them.
        if value.count > 0 { try AccessList.checkForm(value) }
        let inode = try listKeeper(owner)
        if kind == .forNewFiles, !owner.mode.isDirectory {
            guard !AccessList.hasEntries(value) else { throw .permissionDenied }
            return
        }
        try actor.requireOwner(inode)
        try AccessList.set(kind, try AccessList(checking: value), of: inode, actor)
    }
}
