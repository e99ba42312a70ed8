import LinuxABI

/// A socket, apart from the open file by which programs reach it: socket(7).
///
/// What all families share is here: limits, time-outs, pending errors and the options of SOL_SOCKET.
/// A family overrides what it can do. Sending and receiving are attempts that throw `wouldBlock`;
/// `SocketFile` waits on `queue` and tries again, so that no family waits itself.
public class Socket {
    public final let family: SocketFamily
    public final let type: SocketType
    public final let protocolNumber: Int32
    /// The number in `socket:[N]`.
    final let inode: UInt64
    final let user: UInt32
    final let group: UInt32
    /// As fchmod(2) would change them; what bind(2) gives to a name.
    final let permissions: UInt32 = 0o777

    /// Those who wait for anything about the socket.
    final let queue = WaitQueue()
    /// What the next call fails with, and SO_ERROR tells.
    final var pendingError: Errno?
    /// Which directions are shut down.
    final var shutHalves: Halves = []

    final var settings = Settings()
    final var sendLimit = Socket.defaultLimit
    final var receiveLimit = Socket.defaultLimit
    final var sendTimeout = Nanoseconds.never
    final var receiveTimeout = Nanoseconds.never
    final var lowWater = 1
    /// SO_PEEK_OFF; negative when off.
    final var peekOffset = -1
    /// The time of SO_LINGER, in seconds.
    final var lingerTime: UInt32 = 0
    final var priority: Int32 = 0

    /// net.core.wmem_default and rmem_default
    static let defaultLimit = 212_992
    /// net.core.wmem_max and rmem_max
    static let largestLimit = 4_194_304
    /// Half of what SO_SNDBUF and SO_RCVBUF are at least.
    static let leastSendLimit = 4608
    static let leastReceiveLimit = 2304

    /// Directions, as shutdown(2) numbers them plus one.
    struct Halves: OptionSet {
        let rawValue: UInt8
        static var receive: Halves { Halves(rawValue: 1) }
        static var send: Halves { Halves(rawValue: 2) }
        static var both: Halves { Halves(rawValue: 3) }
    }

    /// Options that are on or off.
    struct Settings: OptionSet {
        let rawValue: UInt16
        static var debug: Settings { Settings(rawValue: 1) }
        static var reuseAddress: Settings { Settings(rawValue: 2) }
        static var doNotRoute: Settings { Settings(rawValue: 4) }
        static var broadcast: Settings { Settings(rawValue: 8) }
        static var keepAlive: Settings { Settings(rawValue: 16) }
        static var outOfBandInline: Settings { Settings(rawValue: 32) }
        static var noChecksum: Settings { Settings(rawValue: 64) }
        static var linger: Settings { Settings(rawValue: 128) }
        static var passCredentials: Settings { Settings(rawValue: 256) }
        static var receiveOverflow: Settings { Settings(rawValue: 512) }
    }

    nonisolated(unsafe) private static var lastInode: UInt64 = 0

    init(_ family: SocketFamily, _ type: SocketType, _ protocolNumber: Int32) {
        self.family = family
        self.type = type
        self.protocolNumber = protocolNumber
        Socket.lastInode += 1
        inode = Socket.lastInode
        let credentials = Process.current.credentials
        user = credentials.fileSystemUser
        group = credentials.fileSystemGroup
    }

    // MARK: What a family does

    /// The open file is gone.
    func close() {}

    /// Gives the socket a name. `address` has at most 128 bytes, beginning with the family.
    func bind(_ address: UnsafeRawBufferPointer) throws(Errno) { throw .notSupported }

    func listen(_ backlog: Int) throws(Errno) { throw .notSupported }

    /// Throws `wouldBlock` while there is no room for a connection.
    func connect(_ address: UnsafeRawBufferPointer) throws(Errno) { throw .notSupported }

    /// Takes a connection that waits. Throws `wouldBlock` without one.
    func accept() throws(Errno) -> Socket { throw .notSupported }

    /// Connects a new socket with this one, which is new too.
    func makePair(with other: Socket) throws(Errno) { throw .notSupported }

    /// As getsockname(2).
    func name(_ address: inout SocketAddress) throws(Errno) { throw .notSupported }

    public final func tellPeerName(_ address: inout SocketAddress) throws(Errno) {
        try peerName(&address)
    }

    /// As getpeername(2).
    func peerName(_ address: inout SocketAddress) throws(Errno) { throw .notConnected }

    /// Sends what there is room for; a message whole.
    func send(_ transfer: inout Transfer, _ message: inout OutgoingMessage)
        throws(Errno) -> Int
    {
        throw .notSupported
    }

    /// Receives what is there; zero at the end.
    func receive(_ transfer: inout Transfer, _ message: inout IncomingMessage)
        throws(Errno) -> Int
    {
        throw .notSupported
    }

    func shutDown(_ halves: Halves) throws(Errno) { throw .notSupported }

    /// What poll(2) reports now.
    func readiness() -> PollEvents { [] }

    /// A request of ioctl(2) that is the family's own.
    func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int { throw .notTerminal }

    /// Whether it waits for connections.
    var isListening: Bool { false }

    /// Who connected, as SO_PEERCRED tells it.
    var peerCredentials: SocketCredentials { .none }

    /// Throws where SO_PASSCRED means nothing.
    func requirePassingOfCredentials() throws(Errno) { throw .notSupported }

    // MARK: What all share

    final func takeError() -> Errno? {
        guard let error = pendingError else { return nil }
        pendingError = nil
        return error
    }

    final func throwPendingError() throws(Errno) {
        if let error = takeError() { throw error }
    }
}

/// An address of any family: a `struct sockaddr_storage`.
public struct SocketAddress {
    public var bytes: InlineArray<128, UInt8>
    /// Bytes that the address has, which may be zero.
    public private(set) var count = 0

    public static var size: Int { 128 }

    public init() { bytes = InlineArray(repeating: 0) }

    /// Takes a family and what follows it.
    mutating func set(_ family: SocketFamily, _ rest: UnsafeRawBufferPointer) {
        bytes[0] = UInt8(truncatingIfNeeded: family.rawValue)
        bytes[1] = UInt8(truncatingIfNeeded: family.rawValue >> 8)
        count = 2 + min(rest.count, SocketAddress.size - 2)
        for index in 2..<max(count, 2) { bytes[index] = rest[index - 2] }
    }
}

/// What send(2) and its kin are given besides the bytes.
public struct OutgoingMessage {
    public var flags: MessageFlags
    /// Where it goes; nil for the peer.
    public var address: UnsafeRawBufferPointer?
    /// Files that go with the first byte; taken when they were sent.
    public var rights: Rights?
    /// Who sends it, where that was said.
    public var credentials: SocketCredentials?

    @inline(__always)
    public init(_ flags: MessageFlags) { self.flags = flags }
}

/// What recv(2) and its kin are asked for and give besides the bytes.
public struct IncomingMessage {
    public let flags: MessageFlags
    public let isNonBlocking: Bool
    /// Where the sender's address is to be put.
    public var source: UnsafeMutablePointer<SocketAddress>?
    /// MSG_TRUNC and MSG_CTRUNC of what was received.
    public var received: MessageFlags = []
    public var rights: Rights?
    /// Who sent it, where the socket asks for that.
    public var credentials: SocketCredentials?
    /// Nothing more belongs to it, though there may be room.
    public var isComplete = false

    @inline(__always)
    public init(_ flags: MessageFlags, isNonBlocking: Bool) {
        self.flags = flags
        self.isNonBlocking = isNonBlocking
    }
}
