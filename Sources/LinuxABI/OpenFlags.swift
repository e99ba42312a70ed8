/// The flags of open(2), and with them the status flags of fcntl(F_GETFL).
public struct OpenFlags: OptionSet, Sendable {
    public let rawValue: UInt32

    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static var accessMask: UInt32 { 3 }
    /// O_WRONLY
    public static var writeOnly: OpenFlags { OpenFlags(rawValue: 1) }
    /// O_RDWR
    public static var readWrite: OpenFlags { OpenFlags(rawValue: 2) }
    /// O_CREAT
    public static var create: OpenFlags { OpenFlags(rawValue: 0o100) }
    /// O_EXCL
    public static var exclusive: OpenFlags { OpenFlags(rawValue: 0o200) }
    /// O_NOCTTY
    public static var noControllingTerminal: OpenFlags { OpenFlags(rawValue: 0o400) }
    /// O_TRUNC
    public static var truncate: OpenFlags { OpenFlags(rawValue: 0o1000) }
    /// O_APPEND
    public static var append: OpenFlags { OpenFlags(rawValue: 0o2000) }
    /// O_NONBLOCK
    public static var nonBlocking: OpenFlags { OpenFlags(rawValue: 0o4000) }
    /// O_DSYNC
    public static var dataSynchronous: OpenFlags { OpenFlags(rawValue: 0o10000) }
    /// O_ASYNC
    public static var asynchronous: OpenFlags { OpenFlags(rawValue: 0o20000) }
    /// O_DIRECT; on a pipe, packet mode.
    public static var direct: OpenFlags { OpenFlags(rawValue: 0o40000) }
    /// O_LARGEFILE
    public static var largeFile: OpenFlags { OpenFlags(rawValue: 0o100000) }
    /// O_DIRECTORY
    public static var directory: OpenFlags { OpenFlags(rawValue: 0o200000) }
    /// O_NOFOLLOW
    public static var noFollow: OpenFlags { OpenFlags(rawValue: 0o400000) }
    /// O_NOATIME
    public static var noAccessTime: OpenFlags { OpenFlags(rawValue: 0o1000000) }
    /// O_CLOEXEC
    public static var closeOnExec: OpenFlags { OpenFlags(rawValue: 0o2000000) }
    /// The bit that makes O_SYNC of O_DSYNC.
    public static var synchronous: OpenFlags { OpenFlags(rawValue: 0o4000000) }
    /// O_PATH
    public static var path: OpenFlags { OpenFlags(rawValue: 0o10000000) }
    /// The bit that makes O_TMPFILE of O_DIRECTORY.
    public static var temporaryFile: OpenFlags { OpenFlags(rawValue: 0o20000000) }

    public static var all: OpenFlags { OpenFlags(rawValue: 0o37777703) }
    /// What fcntl(F_SETFL) may change.
    public static var changeable: OpenFlags {
        [.append, .asynchronous, .direct, .noAccessTime, .nonBlocking]
    }
    /// What open(2) does once and does not keep.
    public static var creation: OpenFlags {
        [.create, .exclusive, .noControllingTerminal, .truncate, .closeOnExec]
    }

    /// Whether the access mode allows reading.
    @inline(__always)
    public var isReadable: Bool { rawValue & 3 == 0 || rawValue & 3 == 2 }
    /// Whether the access mode allows writing.
    @inline(__always)
    public var isWritable: Bool { rawValue & 3 == 1 || rawValue & 3 == 2 }
}

/// The flags of the calls that end in `at`.
public struct PathFlags: OptionSet, Sendable {
    public let rawValue: UInt32

    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// AT_SYMLINK_NOFOLLOW
    public static var noFollow: PathFlags { PathFlags(rawValue: 0x100) }
    /// AT_REMOVEDIR
    public static var removeDirectory: PathFlags { PathFlags(rawValue: 0x200) }
    /// AT_EACCESS
    public static var effectiveAccess: PathFlags { PathFlags(rawValue: 0x200) }
    /// AT_SYMLINK_FOLLOW
    public static var follow: PathFlags { PathFlags(rawValue: 0x400) }
    /// AT_NO_AUTOMOUNT
    public static var noAutomount: PathFlags { PathFlags(rawValue: 0x800) }
    /// AT_EMPTY_PATH
    public static var emptyPath: PathFlags { PathFlags(rawValue: 0x1000) }
    /// AT_STATX_FORCE_SYNC and AT_STATX_DONT_SYNC
    public static var statusSync: PathFlags { PathFlags(rawValue: 0x6000) }

    /// AT_FDCWD
    public static var workingDirectory: Int32 { -100 }
}
