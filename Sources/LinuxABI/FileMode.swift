/// A file's type and permissions, as `st_mode` holds them: inode(7).
public struct FileMode: Equatable, Sendable {
    public var rawValue: UInt32

    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    @inline(__always)
    public init(_ kind: FileKind, permissions: UInt32) {
        rawValue = UInt32(kind.rawValue) << 12 | permissions & FileMode.permissionMask
    }

    public static var permissionMask: UInt32 { 0o7777 }
    /// S_ISUID
    public static var setUserID: UInt32 { 0o4000 }
    /// S_ISGID
    public static var setGroupID: UInt32 { 0o2000 }
    /// S_ISVTX
    public static var sticky: UInt32 { 0o1000 }

    @inline(__always)
    public var permissions: UInt32 {
        get { rawValue & FileMode.permissionMask }
        set {
            rawValue = rawValue & ~FileMode.permissionMask | newValue & FileMode.permissionMask
        }
    }

    @inline(__always)
    public var kind: FileKind? {
        FileKind(rawValue: UInt8(truncatingIfNeeded: rawValue >> 12 & 15))
    }

    @inline(__always)
    public func isKind(_ kind: FileKind) -> Bool { rawValue >> 12 & 15 == UInt32(kind.rawValue) }

    @inline(__always)
    public var isDirectory: Bool { isKind(.directory) }
    @inline(__always)
    public var isRegular: Bool { isKind(.regular) }
    @inline(__always)
    public var isSymbolicLink: Bool { isKind(.symbolicLink) }
}

/// The kinds of files; the numbers are those of `S_IFMT` and of `d_type`.
public enum FileKind: UInt8, Sendable {
    case pipe = 1
    case characterDevice = 2
    case directory = 4
    case blockDevice = 6
    case regular = 8
    case symbolicLink = 10
    case socket = 12
}

/// A device number as userland encodes it: makedev(3).
public func deviceNumber(_ major: UInt32, _ minor: UInt32) -> UInt64 {
    UInt64(minor & 0xff) | UInt64(major & 0xfff) << 8 | UInt64(minor & ~0xff) << 12
        | UInt64(major & ~0xfff) << 32
}

public func deviceMajor(_ device: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: (device >> 8) & 0xfff | (device >> 32) & ~0xfff)
}

public func deviceMinor(_ device: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: device & 0xff | (device >> 12) & ~0xff)
}

/// What nobody may do with a file in memory any more: fcntl(F_ADD_SEALS).
public struct FileSeals: OptionSet, Sendable {
    public let rawValue: UInt32

    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// F_SEAL_SEAL
    public static var seal: FileSeals { FileSeals(rawValue: 1) }
    /// F_SEAL_SHRINK
    public static var shrink: FileSeals { FileSeals(rawValue: 2) }
    /// F_SEAL_GROW
    public static var grow: FileSeals { FileSeals(rawValue: 4) }
    /// F_SEAL_WRITE
    public static var write: FileSeals { FileSeals(rawValue: 8) }
    /// F_SEAL_FUTURE_WRITE
    public static var futureWrite: FileSeals { FileSeals(rawValue: 16) }
    /// F_SEAL_EXEC
    public static var execution: FileSeals { FileSeals(rawValue: 32) }
    public static var all: FileSeals { FileSeals(rawValue: 63) }

    @inline(__always)
    public var forbidsWriting: Bool { rawValue & 24 != 0 }
}
