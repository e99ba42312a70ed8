/// What socket(2) takes for a family of addresses.
public struct SocketFamily: RawRepresentable, Equatable, Sendable {
    public let rawValue: UInt16
    @inline(__always)
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// AF_UNSPEC
    public static var unspecified: SocketFamily { SocketFamily(rawValue: 0) }
    /// AF_UNIX
    public static var unix: SocketFamily { SocketFamily(rawValue: 1) }
    /// AF_MAX of Linux 6.18: numbers from here on name no family.
    public static var count: Int32 { 46 }
}

/// How a socket moves bytes: SOCK_STREAM and so on.
public enum SocketType: UInt8, Sendable {
    case stream = 1
    case datagram = 2
    case raw = 3
    case sequencedPacket = 5

    /// SOCK_MAX: numbers from here on name no type.
    public static var count: UInt32 { 11 }
    /// SOCK_TYPE_MASK: what is above in the argument are flags.
    public static var mask: UInt32 { 0xf }
}

/// The flags of send(2) and recv(2), and those that a message was received with.
public struct MessageFlags: OptionSet, Sendable {
    public let rawValue: UInt32
    @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// MSG_OOB
    public static var outOfBand: MessageFlags { MessageFlags(rawValue: 0x1) }
    /// MSG_PEEK
    public static var peek: MessageFlags { MessageFlags(rawValue: 0x2) }
    /// MSG_CTRUNC
    public static var controlTruncated: MessageFlags { MessageFlags(rawValue: 0x8) }
    /// MSG_TRUNC
    public static var truncated: MessageFlags { MessageFlags(rawValue: 0x20) }
    /// MSG_DONTWAIT
    public static var dontWait: MessageFlags { MessageFlags(rawValue: 0x40) }
    /// MSG_WAITALL
    public static var waitAll: MessageFlags { MessageFlags(rawValue: 0x100) }
    /// MSG_NOSIGNAL
    public static var noSignal: MessageFlags { MessageFlags(rawValue: 0x4000) }
    /// MSG_WAITFORONE
    public static var waitForOne: MessageFlags { MessageFlags(rawValue: 0x1_0000) }
    /// MSG_CMSG_CLOEXEC
    public static var closeOnExec: MessageFlags { MessageFlags(rawValue: 0x4000_0000) }
    /// MSG_CMSG_COMPAT, which only the kernel may set.
    public static var compatible: MessageFlags { MessageFlags(rawValue: 0x8000_0000) }
}

/// A `struct msghdr`.
public struct MessageHeader: BitwiseCopyable {
    public var name: UInt
    public var nameLength: Int32
    public var padding: UInt32
    public var vector: UInt
    public var vectorCount: UInt
    public var control: UInt
    public var controlLength: UInt
    public var flags: UInt32
    public var morePadding: UInt32

    /// Where the members lie that recvmsg(2) writes.
    public static var nameLengthOffset: UInt { 8 }
    public static var controlLengthOffset: UInt { 40 }
    public static var flagsOffset: UInt { 48 }
    /// Of a `struct mmsghdr`, whose length follows the header.
    public static var lengthOffset: UInt { 56 }
    public static var stride: UInt { 64 }
}

/// A `struct cmsghdr`: what precedes each piece of ancillary data, cmsg(3).
public struct ControlHeader: BitwiseCopyable {
    /// Bytes with the header.
    public var length: UInt
    public var level: Int32
    public var type: Int32

    public init(length: UInt, level: Int32, type: Int32) {
        self.length = length
        self.level = level
        self.type = type
    }

    public static var size: Int { 16 }
    /// SCM_RIGHTS and SCM_CREDENTIALS of SOL_SOCKET
    public static var rights: Int32 { 1 }
    public static var credentials: Int32 { 2 }
    /// SCM_MAX_FD
    public static var mostFiles: Int { 253 }

    /// CMSG_ALIGN
    @inline(__always)
    public static func aligned(_ count: Int) -> Int { (count + 7) & ~7 }
}

/// A `struct ucred`.
public struct SocketCredentials: BitwiseCopyable, Equatable, Sendable {
    public var process: Int32
    public var user: UInt32
    public var group: UInt32

    @inline(__always)
    public init(process: Int32, user: UInt32, group: UInt32) {
        self.process = process
        self.user = user
        self.group = group
    }

    /// Those of nobody that is known.
    public static var none: SocketCredentials {
        SocketCredentials(process: 0, user: .max, group: .max)
    }
}

/// The options of level SOL_SOCKET: socket(7).
public enum SocketOption: UInt32 {
    /// SOL_SOCKET
    public static var level: Int32 { 1 }

    case debug = 1
    case reuseAddress, type, error, doNotRoute, broadcast, sendBuffer, receiveBuffer, keepAlive
    case outOfBandInline, noChecksum, priority, linger
    case reusePort = 15
    case passCredentials, peerCredentials, receiveLowWater, sendLowWater, receiveTimeout
    case sendTimeout
    case timestamp = 29
    case accepting = 30
    case peerSecurity = 31
    case sendBufferForced, receiveBufferForced, passSecurity
    case mark = 36
    case protocolNumber = 38
    case family = 39
    case receiveOverflow = 40
    case peekOffset = 42
    case incomingProcessor = 49
    case cookie = 57
}
