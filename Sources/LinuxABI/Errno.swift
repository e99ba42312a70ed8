/// Why a call failed, as `errno(3)` numbers it. Handlers throw it; the dispatcher negates it.
public struct Errno: RawRepresentable, Error, Equatable, Hashable, Sendable {
    public let rawValue: UInt16

    @inlinable @inline(__always)
    public init(rawValue: UInt16) { self.rawValue = rawValue }
}

extension Errno {
    /// EPERM
    public static var notPermitted: Errno { Errno(rawValue: 1) }
    /// ENOENT
    public static var noSuchFileOrDirectory: Errno { Errno(rawValue: 2) }
    /// ESRCH
    public static var noSuchProcess: Errno { Errno(rawValue: 3) }
    /// EINTR
    public static var interrupted: Errno { Errno(rawValue: 4) }
    /// EIO
    public static var inputOutputError: Errno { Errno(rawValue: 5) }
    /// ENXIO
    public static var noSuchDeviceOrAddress: Errno { Errno(rawValue: 6) }
    /// E2BIG
    public static var argumentListTooLong: Errno { Errno(rawValue: 7) }
    /// ENOEXEC
    public static var executableFormat: Errno { Errno(rawValue: 8) }
    /// EBADF
    public static var badDescriptor: Errno { Errno(rawValue: 9) }
    /// ECHILD
    public static var noChild: Errno { Errno(rawValue: 10) }
    /// EAGAIN, EWOULDBLOCK
    public static var wouldBlock: Errno { Errno(rawValue: 11) }
    /// ENOMEM
    public static var noMemory: Errno { Errno(rawValue: 12) }
    /// EACCES
    public static var permissionDenied: Errno { Errno(rawValue: 13) }
    /// EFAULT
    public static var badAddress: Errno { Errno(rawValue: 14) }
    /// ENOTBLK
    public static var notBlockDevice: Errno { Errno(rawValue: 15) }
    /// EBUSY
    public static var busy: Errno { Errno(rawValue: 16) }
    /// EEXIST
    public static var fileExists: Errno { Errno(rawValue: 17) }
    /// EXDEV
    public static var crossDeviceLink: Errno { Errno(rawValue: 18) }
    /// ENODEV
    public static var noSuchDevice: Errno { Errno(rawValue: 19) }
    /// ENOTDIR
    public static var notDirectory: Errno { Errno(rawValue: 20) }
    /// EISDIR
    public static var isDirectory: Errno { Errno(rawValue: 21) }
    /// EINVAL
    public static var invalidArgument: Errno { Errno(rawValue: 22) }
    /// ENFILE
    public static var tooManyOpenFilesInSystem: Errno { Errno(rawValue: 23) }
    /// EMFILE
    public static var tooManyOpenFiles: Errno { Errno(rawValue: 24) }
    /// ENOTTY
    public static var notTerminal: Errno { Errno(rawValue: 25) }
    /// ETXTBSY
    public static var textFileBusy: Errno { Errno(rawValue: 26) }
    /// EFBIG
    public static var fileTooLarge: Errno { Errno(rawValue: 27) }
    /// ENOSPC
    public static var noSpace: Errno { Errno(rawValue: 28) }
    /// ESPIPE
    public static var illegalSeek: Errno { Errno(rawValue: 29) }
    /// EROFS
    public static var readOnlyFileSystem: Errno { Errno(rawValue: 30) }
    /// EMLINK
    public static var tooManyLinks: Errno { Errno(rawValue: 31) }
    /// EPIPE
    public static var brokenPipe: Errno { Errno(rawValue: 32) }
    /// EDOM
    public static var outOfDomain: Errno { Errno(rawValue: 33) }
    /// ERANGE
    public static var outOfRange: Errno { Errno(rawValue: 34) }
    /// EDEADLK
    public static var wouldDeadlock: Errno { Errno(rawValue: 35) }
    /// ENAMETOOLONG
    public static var nameTooLong: Errno { Errno(rawValue: 36) }
    /// ENOLCK
    public static var noLocks: Errno { Errno(rawValue: 37) }
    /// ENOSYS
    public static var notImplemented: Errno { Errno(rawValue: 38) }
    /// ENOTEMPTY
    public static var directoryNotEmpty: Errno { Errno(rawValue: 39) }
    /// ELOOP
    public static var tooManySymbolicLinks: Errno { Errno(rawValue: 40) }
    /// ENOMSG
    public static var noMessage: Errno { Errno(rawValue: 42) }
    /// EIDRM
    public static var identifierRemoved: Errno { Errno(rawValue: 43) }
    /// ENODATA
    public static var noData: Errno { Errno(rawValue: 61) }
    /// EBADFD
    public static var descriptorInBadState: Errno { Errno(rawValue: 77) }
    /// ELIBBAD
    public static var corruptLibrary: Errno { Errno(rawValue: 80) }
    /// EOVERFLOW
    public static var valueTooLarge: Errno { Errno(rawValue: 75) }
    /// EUCLEAN
    public static var corruptFilesystem: Errno { Errno(rawValue: 117) }
    /// ENOTSOCK
    public static var notSocket: Errno { Errno(rawValue: 88) }
    /// EMSGSIZE
    public static var messageTooLong: Errno { Errno(rawValue: 90) }
    /// EDESTADDRREQ
    public static var destinationRequired: Errno { Errno(rawValue: 89) }
    /// EPROTOTYPE
    public static var wrongProtocolType: Errno { Errno(rawValue: 91) }
    /// ENOPROTOOPT
    public static var noSuchOption: Errno { Errno(rawValue: 92) }
    /// EPROTONOSUPPORT
    public static var protocolNotSupported: Errno { Errno(rawValue: 93) }
    /// ESOCKTNOSUPPORT
    public static var socketTypeNotSupported: Errno { Errno(rawValue: 94) }
    /// EOPNOTSUPP, ENOTSUP
    public static var notSupported: Errno { Errno(rawValue: 95) }
    /// EAFNOSUPPORT
    public static var addressFamilyNotSupported: Errno { Errno(rawValue: 97) }
    /// EADDRINUSE
    public static var addressInUse: Errno { Errno(rawValue: 98) }
    /// EADDRNOTAVAIL
    public static var addressNotAvailable: Errno { Errno(rawValue: 99) }
    /// ECONNABORTED
    public static var connectionAborted: Errno { Errno(rawValue: 103) }
    /// ECONNRESET
    public static var connectionReset: Errno { Errno(rawValue: 104) }
    /// ENOBUFS
    public static var noBufferSpace: Errno { Errno(rawValue: 105) }
    /// EISCONN
    public static var isConnected: Errno { Errno(rawValue: 106) }
    /// ENOTCONN
    public static var notConnected: Errno { Errno(rawValue: 107) }
    /// ETOOMANYREFS
    public static var tooManyReferences: Errno { Errno(rawValue: 109) }
    /// ETIMEDOUT
    public static var timedOut: Errno { Errno(rawValue: 110) }
    /// ESTALE
    public static var staleHandle: Errno { Errno(rawValue: 116) }
    /// ECONNREFUSED
    public static var connectionRefused: Errno { Errno(rawValue: 111) }
    /// EALREADY
    public static var alreadyInProgress: Errno { Errno(rawValue: 114) }
    /// ECANCELED
    public static var canceled: Errno { Errno(rawValue: 125) }
    /// ETIME
    public static var timeExpired: Errno { Errno(rawValue: 62) }
    /// EOWNERDEAD
    public static var ownerDead: Errno { Errno(rawValue: 130) }
}
