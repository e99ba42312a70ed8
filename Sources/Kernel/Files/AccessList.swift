import LinuxABI

/// A POSIX access control list, acl(5), in the form that extended attributes have it: a version, and then
/// entries of a tag, permissions and a user or group.
struct AccessList {
    enum Kind {
        case access, forNewFiles

        /// nil when an attribute's name is no list's.
        init?(_ name: UnsafeRawBufferPointer) {
            if name.equals("system.posix_acl_access") {
                self = .access
            } else if name.equals("system.posix_acl_default") {
                self = .forNewFiles
            } else {
                return nil
            }
        }

        var name: UnsafeRawBufferPointer {
            let text: StaticString =
                self == .access ? "system.posix_acl_access" : "system.posix_acl_default"
            return UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        }
    }

    /// ACL_USER_OBJ and so on.
    private enum Tag: UInt16 {
        case owner = 1
        case user = 2
        case owningGroup = 4
        case group = 8
        case mask = 16
        case others = 32
    }

    private static let headerSize = 4
    private static let entrySize = 8
    private static let version: UInt32 = 2

    private let bytes: UnsafeMutableRawBufferPointer

    /// Takes a list that the caller keeps; nil for one without entries, which is none. Throws
    /// `notSupported` for another version, `invalidArgument`.
    init?(checking bytes: UnsafeMutableRawBufferPointer) throws(Errno) {
        self.bytes = bytes
        guard AccessList.hasEntries(bytes) else { return nil }
        try AccessList.checkForm(bytes)
        try checkEntries()
    }

    static func hasEntries(_ bytes: UnsafeMutableRawBufferPointer) -> Bool {
        bytes.count > headerSize
    }

    /// Throws `notSupported` for another version, `invalidArgument` for half an entry or an unknown one.
    static func checkForm(_ bytes: UnsafeMutableRawBufferPointer) throws(Errno) {
        guard bytes.count >= headerSize else { throw .invalidArgument }
        guard bytes.loadUnaligned(as: UInt32.self) == version else { throw .notSupported }
        guard (bytes.count - headerSize) % entrySize == 0 else { throw .invalidArgument }
        let list = AccessList(known: UnsafeRawBufferPointer(bytes))
        for index in 0..<list.count where list.tag(index) == nil { throw .invalidArgument }
    }

    /// A list that was checked before.
    private init(known bytes: UnsafeRawBufferPointer) {
        self.bytes = UnsafeMutableRawBufferPointer(mutating: bytes)
    }

    /// The list of a file; nil without one.
    init?(of inode: Inode, _ kind: Kind = .access) {
        guard let value = inode.attributes?.value(of: kind.name) else { return nil }
        self.init(known: value)
    }

    private var count: Int { (bytes.count - AccessList.headerSize) / AccessList.entrySize }

    private func offset(_ index: Int) -> Int {
        AccessList.headerSize + index * AccessList.entrySize
    }

    private func tag(_ index: Int) -> Tag? {
        Tag(rawValue: bytes.loadUnaligned(fromByteOffset: offset(index), as: UInt16.self))
    }

    private func permissions(_ index: Int) -> UInt32 {
        UInt32(bytes.loadUnaligned(fromByteOffset: offset(index) + 2, as: UInt16.self))
    }

    private func setPermissions(_ index: Int, _ permissions: UInt32) {
        bytes.storeBytes(
            of: UInt16(permissions),
            toByteOffset: offset(index) + 2,
            as: UInt16.self
        )
    }

    private func identity(_ index: Int) -> UInt32 {
        bytes.loadUnaligned(fromByteOffset: offset(index) + 4, as: UInt32.self)
    }

    /// As acl_valid(3): the entries in their order, each of the three bases once, and a mask where
    /// somebody is named.
    private func checkEntries() throws(Errno) {
        var last: UInt16 = 0
        var seen: UInt16 = 0
        for index in 0..<count {
            guard let tag = tag(index), permissions(index) & ~7 == 0, tag.rawValue >= last,
                tag.rawValue > last || tag == .user || tag == .group
            else { throw .invalidArgument }
            if tag == .user || tag == .group {
                guard identity(index) != .max else { throw .invalidArgument }
            }
            last = tag.rawValue
            seen |= tag.rawValue
        }
        guard seen & 0x25 == 0x25, seen & 0x0a == 0 || seen & 0x10 != 0 else {
            throw .invalidArgument
        }
    }

    private func index(of wanted: Tag) -> Int? {
        for index in 0..<count where tag(index) == wanted { return index }
        return nil
    }

    // MARK: With a mode

    /// Whether it says no more than a mode does.
    var isMode: Bool { count == 3 }

    /// What the nine bits of a mode are with this list.
    var modeBits: UInt32 {
        let group = index(of: .mask) ?? index(of: .owningGroup)!
        return permissions(index(of: .owner)!) << 6 | permissions(group) << 3
            | permissions(index(of: .others)!)
    }

    /// Follows chmod(2).
    func take(modeBits: UInt32) {
        setPermissions(index(of: .owner)!, modeBits >> 6 & 7)
        setPermissions(index(of: .mask) ?? index(of: .owningGroup)!, modeBits >> 3 & 7)
        setPermissions(index(of: .others)!, modeBits & 7)
    }

    /// Limits the list to what a new file's mode allows, and returns that of the mode which is left.
    func limit(to mode: UInt32) -> UInt32 {
        let left = mode & (modeBits | ~0o777)
        take(modeBits: left)
        return left
    }

    // MARK: Checking

    /// Whether somebody who is not the owner may do something.
    func allows(_ access: AccessMode, _ actor: Actor, _ inode: Inode) -> Bool {
        let mask = index(of: .mask).map(permissions) ?? 7
        for index in 0..<count where tag(index) == .user && identity(index) == actor.user {
            return access.rawValue & ~(permissions(index) & mask) == 0
        }
        var isInOne = false
        for index in 0..<count {
            let isOwning = tag(index) == .owningGroup
            guard isOwning || tag(index) == .group else { continue }
            guard actor.isInGroup(isOwning ? inode.group : identity(index)) else { continue }
            isInOne = true
            if access.rawValue & ~permissions(index) == 0 {
                return access.rawValue & ~mask == 0
            }
        }
        guard !isInOne else { return false }
        return access.rawValue & ~permissions(index(of: .others)!) == 0
    }

    // MARK: Setting

    /// Gives a file a list, or takes it away; the caller checked that it may.
    static func set(_ kind: Kind, _ list: AccessList?, of inode: Inode, _ actor: Actor)
        throws(Errno)
    {
        let isKept = list.map { kind == .forNewFiles || !$0.isMode } ?? false
        if isKept, let list {
            try inode.setAttribute(kind.name, UnsafeRawBufferPointer(list.bytes))
        } else {
            inode.attributes?.remove(kind.name)
        }
        if kind == .access, let list {
            var permissions = inode.mode.permissions & ~0o777 | list.modeBits
            if !actor.isRoot, !actor.isInGroup(inode.group) {
                permissions &= ~FileMode.setGroupID
            }
            inode.mode.permissions = permissions
        }
        inode.changeTime = CoarseClock.now()
    }

    /// What a new file takes over from its directory. Its mode is what was asked for, without the umask,
    /// which a directory with a list for new files does not regard.
    static func inherit(_ inode: Inode, from directory: Inode) throws(Errno) {
        guard let list = AccessList(of: directory, .forNewFiles), !inode.mode.isSymbolicLink else {
            return
        }
        if inode.mode.isDirectory {
            try inode.setAttribute(Kind.forNewFiles.name, UnsafeRawBufferPointer(list.bytes))
        }
        let copy = try KernelBuffer(list.bytes.count)
        copy.bytes.copyMemory(from: UnsafeRawBufferPointer(list.bytes))
        let own = AccessList(known: UnsafeRawBufferPointer(copy.bytes))
        inode.mode.permissions = own.limit(to: inode.mode.permissions)
        guard !own.isMode else { return }
        try inode.setAttribute(Kind.access.name, UnsafeRawBufferPointer(copy.bytes))
    }
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes are a text of the kernel's.
    func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        return hasPrefix(text)
    }

    func hasPrefix(_ text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where self[index] != text.utf8Start[index] {
            return false
        }
        return true
    }
}
