import LinuxABI

/// Follows a path, as path_resolution(7).
///
/// References are lent, not retained: a walk never waits, so what a directory's table holds stays.
struct Walk: ~Copyable {
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
    /// The last name; nil when the path ends in `.`, `..` or is the root.
    private(set) var lastName: Name?
    private(set) var hasTrailingSlash = false
    /// Owns the target, or what is above it, when no table does. A dentry owns its parents.
    private var keeper: Dentry?

    private static let mostLinks = 40

    /// Who walks, and within what.
    private struct Way {
        let actor: Actor
        let options: Options
        let root: Unmanaged<Dentry>
        let isRoot: Bool
        var links = 0

        @inline(__always)
        init(_ actor: Actor, _ options: Options, root: Unmanaged<Dentry>) {
            self.actor = actor
            self.options = options
            self.root = root
            isRoot = actor.isRoot
        }

        @inline(__always)
        func requireSearchable(_ directory: Unmanaged<Dentry>) throws(Errno) {
            guard directory.lent.node.lent.mode.isDirectory else { throw .notDirectory }
            if isRoot { return }
            try actor.require(.execute, directory.lent.node.lent)
        }

        func rootForAbsolute() throws(Errno) -> Unmanaged<Dentry> {
            guard !options.contains(.beneath) else { throw .crossDeviceLink }
            return root
        }
    }

    /// Walks `path` from `start`, which somebody keeps. Throws when any but the last name is missing.
    init(
        _ path: UnsafeRawBufferPointer,
        from start: Unmanaged<Dentry>,
        _ context: PathContext,
        _ actor: Actor,
        _ options: Options
    ) throws(Errno) {
        parent = start
        var way = Way(
            actor,
            options,
            root: options.isDisjoint(with: [.inRoot, .beneath])
                ? Unmanaged.passUnretained(context.root) : start
        )
        guard let bytes = path.baseAddress, !path.isEmpty else { throw .noSuchFileOrDirectory }
        try go(bytes.assumingMemoryBound(to: UInt8.self), path.count, &way)
    }

    /// The dentry that the path leads to. Throws `noSuchFileOrDirectory`.
    var found: Dentry {
        get throws(Errno) {
            guard let target else { throw .noSuchFileOrDirectory }
            return target.takeUnretainedValue()
        }
    }

    /// Lends what the path leads to, which lives as long as the walk is borrowed.
    /// Throws `noSuchFileOrDirectory`.
    @inline(__always)
    func lendFound<Result>(_ body: (Dentry) throws(Errno) -> Result) throws(Errno) -> Result {
        guard let target else { throw .noSuchFileOrDirectory }
        return try target.lend(body)
    }

    @_optimize(speed)
    private mutating func go(
        _ path: UnsafePointer<UInt8>,
        _ length: Int,
        _ way: inout Way
    ) throws(Errno) {
        var cursor = path
        var end = path + length
        var current = parent
        if cursor[0] == 0x2f { current = try way.rootForAbsolute() }
        while true {
            while cursor < end, cursor[0] == 0x2f { cursor += 1 }
            guard cursor < end else { return finish(current) }
            var next = cursor + 1
            while next < end, next[0] != 0x2f { next += 1 }
            let component = Name(cursor, count: next - cursor)
            var after = next
            while after < end, after[0] == 0x2f { after += 1 }
            let isLast = after == end
            hasTrailingSlash = isLast && after > next
            try way.requireSearchable(current)
            if cursor[0] == 0x2e, component.isDot || component.isDotDot {
                if component.isDotDot { try goUp(&current, way) }
                if isLast { return finish(current) }
                cursor = after
                continue
            }
            guard component.count <= Name.longest else { throw .nameTooLong }
            guard var child = try find(component, in: current) else {
                guard isLast else { throw .noSuchFileOrDirectory }
                return finish(current, component, nil)
            }
            if child.lent.mounted != nil {
                guard !way.options.contains(.noCrossing) else { throw .crossDeviceLink }
                child = Unmanaged.passUnretained(child.lent.top)
            }
            let mode = child.lent.node.lent.mode
            if mode.isSymbolicLink, !isLast || follows(way.options) {
                if let target = try follow(child, &way, &cursor, &end, after) {
                    if isLast { return finish(target) }
                    current = target
                    cursor = after
                } else if cursor[0] == 0x2f {
                    current = try way.rootForAbsolute()
                }
                continue
            }
            guard isLast else {
                current = child
                cursor = after
                continue
            }
            finish(current, component, child)
            guard hasTrailingSlash, !mode.isDirectory else { return }
            throw .notDirectory
        }
    }

    private func follows(_ options: Options) -> Bool {
        !options.contains(.nameOnly) && (options.contains(.follow) || hasTrailingSlash)
    }

    private mutating func finish(_ directory: Unmanaged<Dentry>) {
        parent = directory
        target = directory
        lastName = nil
    }

    private mutating func finish(
        _ directory: Unmanaged<Dentry>,
        _ name: Name,
        _ target: Unmanaged<Dentry>?
    ) {
        parent = directory
        self.target = target
        lastName = name
    }

    @inline(__always)
    private mutating func find(_ name: Name, in directory: Unmanaged<Dentry>)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        try directory.lend { (directory) throws(Errno) in
            if directory.original != nil { return try findAlias(name, in: directory) }
            return try directory.node.lend { (inode) throws(Errno) in
                try inode.find(name, in: directory, &keeper)
            }
        }
    }

    @inline(never)
    private mutating func findAlias(_ name: Name, in directory: Dentry)
        throws(Errno) -> Unmanaged<Dentry>?
    {
        guard let found = try directory.alias(named: name) else {
            // What has no such name is kept for who wants to make it.
            keeper = directory
            return nil
        }
        keeper = found
        return Unmanaged.passUnretained(found)
    }

    private func goUp(_ current: inout Unmanaged<Dentry>, _ way: Way) throws(Errno) {
        guard !current.lent.isSame(as: way.root.lent) else {
            guard !way.options.contains(.beneath) else { throw .crossDeviceLink }
            return
        }
        let dentry = current.takeUnretainedValue()
        guard let above = dentry.above else { return }
        if way.options.contains(.noCrossing), dentry.mountPoint != nil { throw .crossDeviceLink }
        current = Unmanaged.passUnretained(above.top)
    }

    /// Puts a link's target in front of the rest of the path; or answers where a link of /proc
    /// jumps to.
    @inline(never)
    private mutating func follow(
        _ link: Unmanaged<Dentry>,
        _ way: inout Way,
        _ cursor: inout UnsafePointer<UInt8>,
        _ end: inout UnsafePointer<UInt8>,
        _ rest: UnsafePointer<UInt8>
    ) throws(Errno) -> Unmanaged<Dentry>? {
        guard !way.options.contains(.noLinks) else { throw .tooManySymbolicLinks }
        way.links += 1
        guard way.links <= Walk.mostLinks else { throw .tooManySymbolicLinks }
        let inode = link.takeUnretainedValue().inode!
        if let destination = try inode.jump() {
            guard way.options.isDisjoint(with: [.noMagicLinks, .beneath, .inRoot]) else {
                throw .tooManySymbolicLinks
            }
            keeper = destination
            return Unmanaged.passUnretained(destination)
        }
        var text = TextBuffer()
        try inode.readLink(into: &text)
        let restLength = (end - rest) + (hasTrailingSlash || rest < end ? 1 : 0)
        guard !text.bytes.isEmpty else { throw .noSuchFileOrDirectory }
        guard text.bytes.count + restLength <= PathBuffers.size else { throw .nameTooLong }
        let buffer = PathBuffers.link(way.links).baseAddress!.assumingMemoryBound(to: UInt8.self)
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
