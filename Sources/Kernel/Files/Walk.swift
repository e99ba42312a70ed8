import LinuxABI

/// Follows a path, as path_resolution(7).
///
/// References are lent, not retained: a walk never waits, so what a directory's table holds stays.
struct Walk {
    struct Options: OptionSet {
        let rawValue: UInt32
        /// Follows a link at the end.
        static var follow: Options { Options(rawValue: 1) }
        /// The caller works on the name itself: not even a trailing slash follows a link.
        static var nameOnly: Options { Options(rawValue: 2) }
        /// The flags of openat2(2)'s `resolve`.
        static var noCrossing: Options { Options(rawValue: 4) }
        static var noMagicLinks: Options { Options(rawValue: 8) }
        static var noLinks: Options { Options(rawValue: 16) }
        static var beneath: Options { Options(rawValue: 32) }
        static var inRoot: Options { Options(rawValue: 64) }
    }

    /// The directory that holds the last name.
    private(set) var parent: Unmanaged<Dentry>
    /// What the path leads to; nil when only the last name is missing.
    private(set) var target: Unmanaged<Dentry>?
    /// The last name; not meaningful when the path ends in `.`, `..` or is the root.
    private(set) var name = Name("")
    /// Whether the path ends in a name.
    private(set) var endsInName = false
    private(set) var hasTrailingSlash = false
    /// Own the parent and the target when no table does.
    private var parentKeeper: Dentry?
    private var keeper: Dentry?

    private static let mostLinks = 40

    private let actor: Actor
    private let options: Options
    private let root: Unmanaged<Dentry>
    private var start: Unmanaged<Dentry>
    private var links = 0

    /// Walks `path` from `directory`. Throws when any but the last name is missing.
    init(
        _ path: UnsafeRawBufferPointer,
        from directory: Dentry,
        _ context: PathContext,
        _ actor: Actor,
        _ options: Options
    ) throws(Errno) {
        self.actor = actor
        self.options = options
        parent = Unmanaged.passUnretained(directory)
        start = parent
        root =
            options.isDisjoint(with: [.inRoot, .beneath])
            ? Unmanaged.passUnretained(context.root) : parent
        guard !path.isEmpty else { throw .noSuchFileOrDirectory }
        try go(path.baseAddress!.assumingMemoryBound(to: UInt8.self), path.count)
    }

    /// The dentry that the path leads to. Throws `noSuchFileOrDirectory`.
    var found: Dentry {
        get throws(Errno) {
            guard let target else { throw .noSuchFileOrDirectory }
            return target.takeUnretainedValue()
        }
    }

    private mutating func go(_ path: UnsafePointer<UInt8>, _ length: Int) throws(Errno) {
        var cursor = path
        var end = path + length
        var current = start
        if cursor[0] == 0x2f { current = try rootForAbsolute() }
        while true {
            while cursor < end, cursor[0] == 0x2f { cursor += 1 }
            guard cursor < end else { return finish(current) }
            let first = cursor
            var hash = Name.hashStart
            while cursor < end, cursor[0] != 0x2f {
                hash = Name.hash(hash, cursor[0])
                cursor += 1
            }
            let component = Name(first, count: cursor - first, hash: hash)
            var after = cursor
            while after < end, after[0] == 0x2f { after += 1 }
            let isLast = after == end
            hasTrailingSlash = isLast && after > cursor
            try requireSearchable(current)
            if first[0] == 0x2e, component.isDot || component.isDotDot {
                if component.isDotDot { try goUp(&current) }
                if isLast { return finish(current) }
                cursor = after
                continue
            }
            guard component.count <= Name.longest else { throw .nameTooLong }
            guard var child = try find(component, in: current) else {
                guard isLast else { throw .noSuchFileOrDirectory }
                return finish(current, component, nil)
            }
            if child._withUnsafeGuaranteedRef({ $0.mounted != nil }) {
                guard !options.contains(.noCrossing) else { throw .crossDeviceLink }
                child = Unmanaged.passUnretained(child._withUnsafeGuaranteedRef { $0.top })
            }
            if isLink(child), !isLast || follows {
                if let target = try follow(child, &cursor, &end, after) {
                    if isLast { return finish(target) }
                    current = target
                    cursor = after
                } else if cursor[0] == 0x2f {
                    current = try rootForAbsolute()
                }
                continue
            }
            guard isLast else {
                current = child
                parentKeeper = keeper
                cursor = after
                continue
            }
            finish(current, component, child)
            guard hasTrailingSlash, !isDirectory(child) else { return }
            throw .notDirectory
        }
    }

    private var follows: Bool {
        !options.contains(.nameOnly) && (options.contains(.follow) || hasTrailingSlash)
    }

    private func isLink(_ dentry: Unmanaged<Dentry>) -> Bool {
        dentry._withUnsafeGuaranteedRef { $0.inode.unsafelyUnwrapped.mode.isSymbolicLink }
    }

    private func isDirectory(_ dentry: Unmanaged<Dentry>) -> Bool {
        dentry._withUnsafeGuaranteedRef { $0.inode.unsafelyUnwrapped.mode.isDirectory }
    }

    private mutating func finish(_ directory: Unmanaged<Dentry>) {
        parent = directory
        target = directory
        endsInName = false
    }

    private mutating func finish(
        _ directory: Unmanaged<Dentry>,
        _ name: Name,
        _ target: Unmanaged<Dentry>?
    ) {
        parent = directory
        self.target = target
        self.name = name
        endsInName = true
    }

    @inline(__always)
    private func requireSearchable(_ directory: Unmanaged<Dentry>) throws(Errno) {
        guard isDirectory(directory) else { throw .notDirectory }
        if actor.isRoot { return }
        try actor.require(.execute, directory.takeUnretainedValue().inode!)
    }

    @inline(__always)
    private mutating func find(_ name: Name, in directory: Unmanaged<Dentry>)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        let directory = directory._withUnsafeGuaranteedRef { $0 }
        guard let child = try directory.inode.unsafelyUnwrapped.find(name, in: directory, &keeper)
        else { return nil }
        return child
    }

    private mutating func rootForAbsolute() throws(Errno) -> Unmanaged<Dentry> {
        guard !options.contains(.beneath) else { throw .crossDeviceLink }
        return root
    }

    private mutating func goUp(_ current: inout Unmanaged<Dentry>) throws(Errno) {
        guard current.toOpaque() != root.toOpaque() else {
            guard !options.contains(.beneath) else { throw .crossDeviceLink }
            return
        }
        let dentry = current.takeUnretainedValue()
        guard let above = dentry.above else { return }
        if options.contains(.noCrossing), dentry.mountPoint != nil { throw .crossDeviceLink }
        parentKeeper = above.top
        current = Unmanaged.passUnretained(above.top)
    }

    /// Puts a link's target in front of the rest of the path; or answers where a link of /proc
    /// jumps to.
    @inline(never)
    private mutating func follow(
        _ link: Unmanaged<Dentry>,
        _ cursor: inout UnsafePointer<UInt8>,
        _ end: inout UnsafePointer<UInt8>,
        _ rest: UnsafePointer<UInt8>
    ) throws(Errno) -> Unmanaged<Dentry>? {
        guard !options.contains(.noLinks) else { throw .tooManySymbolicLinks }
        links += 1
        guard links <= Walk.mostLinks else { throw .tooManySymbolicLinks }
        let inode = link.takeUnretainedValue().inode!
        if let destination = try inode.jump() {
            guard options.isDisjoint(with: [.noMagicLinks, .beneath, .inRoot]) else {
                throw .tooManySymbolicLinks
            }
            keeper = destination
            parentKeeper = destination
            return Unmanaged.passUnretained(destination)
        }
        var text = TextBuffer()
        try inode.readLink(into: &text)
        let restLength = (end - rest) + (hasTrailingSlash || rest < end ? 1 : 0)
        guard !text.bytes.isEmpty else { throw .noSuchFileOrDirectory }
        guard text.bytes.count + restLength <= PathBuffers.size else { throw .nameTooLong }
        let buffer = PathBuffers.link(links).baseAddress!.assumingMemoryBound(to: UInt8.self)
        var length = 0
        for byte in text.bytes {
            buffer[length] = byte
            length += 1
        }
        if restLength > 0 {
            buffer[length] = 0x2f
            length += 1
            for offset in 0..<(end - rest) { buffer[length + offset] = rest[offset] }
            length += end - rest
        }
        cursor = UnsafePointer(buffer)
        end = cursor + length
        return nil
    }
}
