import LinuxABI

/// A part of a file system that is mounted once more: mount(2) with MS_BIND.
///
/// Names in it are aliases, which are made when a path leads to them: each stands for the name that the file
/// system has, but has its parents in the bind mount, so that `..` and paths are those of the way that led
/// there. Whatever changes names works on what an alias stands for.
final class BindMount: Filesystem {
    unowned(unsafe) let origin: Filesystem
    /// Aliases on which something is mounted.
    private var pinned: [Dentry] = []

    /// Throws `noMemory`.
    init(_ source: Dentry) throws(Errno) {
        let real = source.real
        origin = real.inode!.filesystem
        super.init(origin.name, magic: origin.magic)
        root = try Dentry(Name("/"), real.inode, in: nil)
        root.original = real
        root.bind = self
        mountOptions = origin.mountOptions
        self.source = origin.source
    }

    override func status() -> FilesystemStatusRecord {
        var record = origin.status()
        let options = mountOptions.union(origin.mountOptions.intersection(.readOnly))
        record.flags = FilesystemStatusRecord.validFlag | options.statusFlags
        return record
    }

    override func appendOptions(to text: inout TextBuffer) { origin.appendOptions(to: &text) }

    override var shownDevice: UInt64 { origin.device }

    override func appendShownRoot(to text: inout TextBuffer) {
        guard let top = root.original, let base = origin.root else { return text.append("/") }
        top.appendPath(to: &text, from: base)
    }

    /// The tree is the origin's.
    override func dismantle() {
        root?.mountPoint?.mounted = nil
        root?.mountPoint = nil
        root = nil
        pinned = []
    }

    func pin(_ alias: Dentry) { pinned.append(alias) }

    func unpin(_ alias: Dentry) { pinned.removeAll { $0 === alias } }

    fileprivate func pinned(_ real: Dentry) -> Dentry? {
        pinned.first { $0.original === real }
    }
}

extension Dentry {
    /// What an alias stands for, or the dentry itself.
    var real: Dentry { original ?? self }

    /// What it is in: a bind mount, or its file's own file system.
    var mount: Filesystem? { bind ?? inode?.filesystem }

    /// Whether names, contents and attributes may change by this way.
    func requireWritable() throws(Errno) {
        if let bind, bind.isReadOnly { throw .readOnlyFileSystem }
        try inode?.requireWritable()
    }

    /// Whether both are the same place, though an alias may have been made twice.
    func isSame(as other: Dentry) -> Bool {
        if self === other { return true }
        guard let original, let bind else { return false }
        return other.original === original && other.bind === bind
    }

    /// The alias of a name below this alias, or nil.
    func alias(named name: Name) throws(Errno) -> Dentry? {
        let real = self.real
        var keeper: Dentry?
        guard let found = try real.inode!.find(name, in: real, &keeper) else { return nil }
        return try alias(for: found.takeUnretainedValue())
    }

    /// The alias below this alias that stands for a name.
    func alias(for real: Dentry) throws(Errno) -> Dentry {
        if let pinned = bind?.pinned(real) { return pinned }
        let alias = try Dentry(real.nameView, real.inode, in: self)
        alias.original = real
        alias.bind = bind
        return alias
    }
}

extension VFS {
    /// As mount(2) with MS_BIND, and with MS_REC all that is mounted below.
    static func bind(
        _ source: UnsafeRawBufferPointer?,
        to target: Dentry,
        recursively: Bool,
        _ process: Process
    ) throws(Errno) {
        guard let source, !source.isEmpty else { throw .invalidArgument }
        let from = try resolve(Place(source), process)
        guard !from.isRemoved, !target.isRemoved else { throw .noSuchFileOrDirectory }
        guard from.inode!.mode.isDirectory == target.inode!.mode.isDirectory else {
            throw .notDirectory
        }
        let inner = recursively ? Filesystem.mounts : []
        let made = try BindMount(from)
        made.mount(on: target)
        for filesystem in inner {
            guard let root = filesystem.root, root.mountPoint != nil, root !== from,
                from.contains(root)
            else { continue }
            try bindInner(root, from, made, process)
        }
    }

    private static func bindInner(
        _ inner: Dentry,
        _ from: Dentry,
        _ made: BindMount,
        _ process: Process
    ) throws(Errno) {
        var path = TextBuffer()
        inner.appendPath(to: &path, from: from)
        let bytes = path.bytes
        var failure: Errno? = nil
        bytes.withUnsafeBytes { bytes in
            do throws(Errno) {
                let relative = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
                let walk = try Walk(
                    relative,
                    from: Unmanaged.passUnretained(made.root),
                    process.paths,
                    Actor.kernel,
                    []
                )
                try BindMount(inner).mount(on: try walk.found)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
