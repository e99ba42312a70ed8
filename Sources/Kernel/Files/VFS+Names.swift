import LinuxABI

/// Making, removing and moving names.
extension VFS {
    /// As mkdirat(2).
    public static func makeDirectory(_ place: Place, _ process: Process, mode: UInt32)
        throws(Errno)
    {
        let actor = Actor(process)
        let walk = try walk(place, process, .nameOnly, actor: actor)
        // Linux keeps the sticky bit of mkdir's mode, but no set-ID bits.
        let node = newNode(
            .directory,
            mode & 0o1777,
            in: walk.parent.takeUnretainedValue().inode!,
            process
        )
        try create(walk, node, actor)
    }

    /// As mknodat(2). Devices other than the null whiteout are for root.
    public static func makeNode(
        _ place: Place,
        _ process: Process,
        mode: FileMode,
        device: UInt64
    ) throws(Errno) {
        let kind = mode.rawValue >> 12 == 0 ? .regular : mode.kind
        let actor = Actor(process)
        switch kind {
        case .regular, .pipe, .socket: break
        case .characterDevice, .blockDevice: guard actor.isRoot else { throw .notPermitted }
        case .directory: throw .notPermitted
        default: throw .invalidArgument
        }
        let walk = try walk(place, process, .nameOnly, actor: actor)
        guard !walk.hasTrailingSlash || walk.target != nil else { throw .noSuchFileOrDirectory }
        let parent = walk.parent.takeUnretainedValue().inode!
        try create(
            walk,
            newNode(kind!, mode.permissions, in: parent, process, device: device),
            actor
        )
    }

    /// As symlinkat(2).
    public static func makeSymbolicLink(
        to target: UnsafeRawBufferPointer,
        _ place: Place,
        _ process: Process
    ) throws(Errno) {
        guard !target.isEmpty else { throw .noSuchFileOrDirectory }
        let actor = Actor(process)
        let walk = try walk(place, process, .nameOnly, actor: actor)
        guard !walk.hasTrailingSlash || walk.target != nil else { throw .noSuchFileOrDirectory }
        let parent = walk.parent.takeUnretainedValue().inode!
        var node = newNode(.symbolicLink, 0o777, in: parent, process)
        node.mode.permissions = 0o777
        node.target = target
        try create(walk, node, actor)
    }

    /// As linkat(2).
    public static func link(
        _ old: Place,
        _ new: Place,
        _ process: Process,
        _ flags: PathFlags
    ) throws(Errno) {
        var resolving: PathFlags = flags.contains(.follow) ? [] : .noFollow
        if flags.contains(.emptyPath) { resolving.insert(.emptyPath) }
        guard case .dentry(let source) = try resolve(old, process, resolving) else {
            throw .noSuchFileOrDirectory
        }
        let inode = source.inode!
        let actor = Actor(process)
        let walk = try walk(new, process, .nameOnly, actor: actor)
        guard walk.target == nil, let name = walk.lastName else { throw .fileExists }
        guard !walk.hasTrailingSlash else { throw .noSuchFileOrDirectory }
        let place = walk.parent.takeUnretainedValue()
        let directory = place.real
        let parent = directory.inode!
        guard parent.filesystem === inode.filesystem, source.mount === place.mount else {
            throw .crossDeviceLink
        }
        try place.requireWritable()
        try actor.require([.write, .execute], parent)
        guard !inode.mode.isDirectory else { throw .notPermitted }
        guard inode.links > 0 || flags.contains(.emptyPath), !directory.isRemoved else {
            throw .noSuchFileOrDirectory
        }
        guard inode.links < UInt32(Int32.max) else { throw .tooManyLinks }
        try parent.link(inode, as: name, in: directory)
        FileWatches.tellSelf(.attributes, inode)
        FileWatches.tellName(.created, name, of: inode, in: parent)
    }

    /// As unlinkat(2) without flags.
    public static func unlink(_ place: Place, _ process: Process) throws(Errno) {
        let actor = Actor(process)
        let walk = try walk(place, process, .nameOnly, actor: actor)
        guard walk.lastName != nil else { throw .isDirectory }
        try requireNotMounted(try walk.found)
        var dentry = try walk.found.real
        let inode = dentry.inode!
        let parent = try requireRemovable(dentry, walk, actor)
        guard !inode.mode.isDirectory else { throw .isDirectory }
        guard !walk.hasTrailingSlash else { throw .notDirectory }
        try parent.remove(dentry)
        FileWatches.tellSelf(.attributes, inode)
        tellRemoved(&dentry, from: parent)
    }

    /// Tells of a name that was removed, and before of the file when nobody has it open by that name.
    private static func tellRemoved(_ dentry: inout Dentry, from directory: Inode) {
        guard !FileWatches.isIdle, let inode = dentry.inode else { return }
        if inode.links == 0, isKnownUniquelyReferenced(&dentry) { FileWatches.tellGone(inode) }
        FileWatches.tellName(.removed, dentry.nameView, of: inode, in: directory)
    }

    /// As rmdir(2).
    public static func removeDirectory(_ place: Place, _ process: Process) throws(Errno) {
        let actor = Actor(process)
        let walk = try walk(place, process, .nameOnly, actor: actor)
        guard walk.lastName != nil else {
            _ = try walk.found
            var end = place.path.count
            while end > 0, place.path[end - 1] == 0x2f { end -= 1 }
            guard end > 0 else { throw .busy }
            let isDotDot = end >= 2 && place.path[end - 2] == 0x2e
            throw isDotDot ? .directoryNotEmpty : .invalidArgument
        }
        try requireNotMounted(try walk.found)
        var dentry = try walk.found.real
        let inode = dentry.inode!
        let parent = try requireRemovable(dentry, walk, actor)
        guard inode.mode.isDirectory else { throw .notDirectory }
        try inode.requireEmpty()
        try parent.remove(dentry)
        tellRemoved(&dentry, from: parent)
    }

    /// Throws `busy` where something is mounted, by the name or what it stands for.
    private static func requireNotMounted(_ dentry: Dentry) throws(Errno) {
        guard dentry.mountPoint == nil, dentry.real.mounted == nil else { throw .busy }
    }

    private static func requireRemovable(_ dentry: Dentry, _ walk: borrowing Walk, _ actor: Actor)
        throws(Errno) -> Inode
    {
        let place = walk.parent.takeUnretainedValue()
        let parent = place.inode!
        try place.requireWritable()
        try actor.requireRemovable(dentry.inode!, from: parent)
        return parent
    }

    /// The flags of renameat2(2).
    public struct RenameFlags: OptionSet {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        /// RENAME_NOREPLACE
        public static var noReplace: RenameFlags { RenameFlags(rawValue: 1) }
        /// RENAME_EXCHANGE
        public static var exchange: RenameFlags { RenameFlags(rawValue: 2) }
    }

    /// As renameat2(2).
    public static func rename(
        _ old: Place,
        _ new: Place,
        _ process: Process,
        _ flags: RenameFlags
    ) throws(Errno) {
        guard flags.isSubset(of: [.noReplace, .exchange]), flags.rawValue != 3 else {
            throw .invalidArgument
        }
        let actor = Actor(process)
        let from = try walk(old, process, .nameOnly, actor: actor)
        let to = try walk(new, process, .nameOnly, actor: actor)
        guard let oldName = from.lastName, let name = to.lastName else {
            throw flags.contains(.noReplace) ? .fileExists : .busy
        }
        let source = try from.found.real
        let target = to.target?.takeUnretainedValue().real
        if target != nil, flags.contains(.noReplace) { throw .fileExists }
        if target == nil, flags.contains(.exchange) { throw .noSuchFileOrDirectory }
        let (oldPlace, newPlace) = (
            from.parent.takeUnretainedValue(), to.parent.takeUnretainedValue()
        )
        let (oldParent, newParent) = (oldPlace.real, newPlace.real)
        try checkKinds(from, source, to, target, flags)
        try requireNotMounted(try from.found)
        if let target = to.target { try requireNotMounted(target.takeUnretainedValue()) }
        guard oldPlace.mount === newPlace.mount else { throw .crossDeviceLink }
        try oldPlace.requireWritable()
        try checkPlaces(source, target, oldParent, newParent, flags)
        if let target, target.inode === source.inode { return }
        try checkPermissions(source, target, oldParent.inode!, newParent.inode!, actor)
        if let target, target.inode!.mode.isDirectory, !flags.contains(.exchange) {
            try target.inode!.requireEmpty()
        }
        try newParent.inode!.rename(
            source,
            from: oldParent,
            to: newParent,
            as: name,
            over: target,
            exchanging: flags.contains(.exchange)
        )
        guard !FileWatches.isIdle else { return }
        let isExchange = flags.contains(.exchange)
        FileWatches.tellMoved(source, from: oldParent.inode!, oldName, to: newParent.inode!)
        if !isExchange, let target { FileWatches.tellSelf(.attributes, target.inode!) }
        FileWatches.tellSelf(.selfMoved, source.inode!)
        guard isExchange, let target else { return }
        FileWatches.tellMoved(target, from: newParent.inode!, name, to: oldParent.inode!)
        FileWatches.tellSelf(.selfMoved, target.inode!)
    }

    private static func checkKinds(
        _ from: borrowing Walk,
        _ source: Dentry,
        _ to: borrowing Walk,
        _ target: Dentry?,
        _ flags: RenameFlags
    ) throws(Errno) {
        let isDirectory = source.inode!.mode.isDirectory
        if !isDirectory, from.hasTrailingSlash || to.hasTrailingSlash { throw .notDirectory }
        guard let target, !flags.contains(.exchange) else { return }
        let replacesDirectory = target.inode!.mode.isDirectory
        if isDirectory, !replacesDirectory { throw .notDirectory }
        if !isDirectory, replacesDirectory { throw .isDirectory }
    }

    private static func checkPlaces(
        _ source: Dentry,
        _ target: Dentry?,
        _ from: Dentry,
        _ to: Dentry,
        _ flags: RenameFlags
    ) throws(Errno) {
        guard from.inode!.filesystem === to.inode!.filesystem else { throw .crossDeviceLink }
        guard !to.isRemoved else { throw .noSuchFileOrDirectory }
        // A directory cannot be moved into itself.
        if source.contains(to) { throw .invalidArgument }
        if let target, target.contains(from) {
            throw flags.contains(.exchange) ? .invalidArgument : .directoryNotEmpty
        }
    }

    private static func checkPermissions(
        _ source: Dentry,
        _ target: Dentry?,
        _ from: Inode,
        _ to: Inode,
        _ actor: Actor
    ) throws(Errno) {
        try from.requireWritable()
        try actor.requireRemovable(source.inode!, from: from)
        try actor.require([.write, .execute], to)
        if let target { try actor.requireRemovable(target.inode!, from: to) }
        // Moving a directory changes its `..`.
        if from !== to, source.inode!.mode.isDirectory {
            try actor.require(.write, source.inode!)
        }
    }

    /// As readlinkat(2): how many bytes of the target were given.
    public static func readLink(_ place: Place, _ process: Process, _ buffer: UserBuffer)
        throws(Errno) -> Int
    {
        guard buffer.count > 0 else { throw .invalidArgument }
        guard case .dentry(let dentry) = try resolve(place, process, [.noFollow, .emptyPath]) else {
            throw .noSuchFileOrDirectory
        }
        let inode = dentry.inode!
        guard inode.mode.isSymbolicLink else {
            throw place.path.isEmpty ? .noSuchFileOrDirectory : .invalidArgument
        }
        var text = TextBuffer()
        try inode.readLink(into: &text)
        let count = min(text.bytes.count, buffer.count)
        var failure: Errno? = nil
        text.bytes.withUnsafeBytes { bytes in
            do throws(Errno) {
                try buffer.copyOut(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
            } catch { failure = error }
        }
        if let failure { throw failure }
        return count
    }
}
