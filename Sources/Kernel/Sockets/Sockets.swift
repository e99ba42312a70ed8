import LinuxABI

/// Sockets by descriptor.
extension DescriptorTable {
    /// Lends the socket's file behind a descriptor. Throws `badDescriptor` and `notSocket`.
    @inline(__always)
    public func socket(_ descriptor: FileDescriptor) throws(Errno) -> SocketFile {
        let file = try lend(descriptor)
        guard file.lent.traits.contains(.socket) else {
            throw file.lent.flags.contains(.path) ? .badDescriptor : .notSocket
        }
        return unsafeDowncast(file.takeUnretainedValue(), to: SocketFile.self)
    }

    /// What the flags beside a socket's type are: SOCK_NONBLOCK and SOCK_CLOEXEC.
    private func checkFlags(_ flags: OpenFlags) throws(Errno) {
        guard flags.isSubset(of: [.nonBlocking, .closeOnExec]) else { throw .invalidArgument }
    }

    /// As socket(2); `type` has the flags in its upper bits.
    public func makeSocket(_ family: Int32, _ type: UInt32, _ protocolNumber: Int32)
        throws(Errno) -> FileDescriptor
    {
        let flags = OpenFlags(rawValue: type & ~SocketType.mask)
        try checkFlags(flags)
        let socket = try Socket.make(family, type & SocketType.mask, protocolNumber)
        return try insert(socket, flags)
    }

    private func insert(_ socket: Socket, _ flags: OpenFlags) throws(Errno) -> FileDescriptor {
        let file = SocketFile(socket, isNonBlocking: flags.contains(.nonBlocking))
        return try insert(file, closesOnExec: flags.contains(.closeOnExec))
    }

    /// As socketpair(2). `note` is told the descriptors before there is a socket, as on Linux.
    public func makeSocketPair(
        _ family: Int32,
        _ type: UInt32,
        _ protocolNumber: Int32,
        _ note: (FileDescriptor, FileDescriptor) throws(Errno) -> Void
    ) throws(Errno) {
        let flags = OpenFlags(rawValue: type & ~SocketType.mask)
        try checkFlags(flags)
        let first = try checkRoom()
        let placeholder = try insert(ClosedFile(), closesOnExec: false, from: first)
        do throws(Errno) {
            let second = try checkRoom()
            try note(placeholder, FileDescriptor(UInt(second)))
            let left = try Socket.make(family, type & SocketType.mask, protocolNumber)
            let right = try Socket.make(family, type & SocketType.mask, protocolNumber)
            do throws(Errno) { try left.makePair(with: right) } catch {
                left.close()
                right.close()
                throw error
            }
            let file = SocketFile(left, isNonBlocking: flags.contains(.nonBlocking))
            let closes = flags.contains(.closeOnExec)
            // The other first: only that may fail.
            _ = try insert(right, flags)
            try replace(placeholder, with: file, closesOnExec: closes)
        } catch {
            try? close(placeholder)
            throw error
        }
    }

    /// As accept4(2). `note` is told the descriptor, and the address of who connected.
    public func accept(
        _ descriptor: FileDescriptor,
        _ flags: OpenFlags,
        _ note: (Socket) throws(Errno) -> Void
    ) throws(Errno) -> FileDescriptor {
        _ = try lend(descriptor)
        try checkFlags(flags)
        try checkRoom()
        let file = SocketFile(
            try socket(descriptor).accept(),
            isNonBlocking: flags.contains(.nonBlocking)
        )
        // The room may be taken by now; then the connection is lost, as when it is not heard of.
        try note(file.socket)
        return try insert(file, closesOnExec: flags.contains(.closeOnExec))
    }
}

/// Holds a descriptor for a file that is still to be made.
private final class ClosedFile: OpenFile {
    init() { super.init(flags: .path) }
}

extension Socket {
    /// A new socket of a family, or why there is none.
    static func make(_ family: Int32, _ type: UInt32, _ protocolNumber: Int32)
        throws(Errno) -> Socket
    {
        guard family >= 0, family < SocketFamily.count else { throw .addressFamilyNotSupported }
        guard type < SocketType.count else { throw .invalidArgument }
        switch SocketFamily(rawValue: UInt16(family)) {
        case .unix: return try UnixSocket.make(type, protocolNumber)
        default: throw .addressFamilyNotSupported
        }
    }
}

/// What is done with a socket, apart from moving bytes.
extension SocketFile {
    /// As bind(2).
    public func bind(_ address: UnsafeRawBufferPointer) throws(Errno) { try socket.bind(address) }

    /// As listen(2). Negative is as many as there may be.
    public func listen(_ backlog: Int32) throws(Errno) {
        try socket.listen(Int(min(UInt32(bitPattern: backlog), SocketFile.largestBacklog)))
    }

    /// net.core.somaxconn
    static let largestBacklog: UInt32 = 4096

    /// As shutdown(2).
    public func shutDown(_ how: Int32) throws(Errno) {
        guard how >= 0, how <= 2 else { throw .invalidArgument }
        try socket.shutDown(Socket.Halves(rawValue: UInt8(how + 1)))
    }

    /// As getsockname(2).
    public func name(_ address: inout SocketAddress) throws(Errno) { try socket.name(&address) }

    /// As getpeername(2).
    public func peerName(_ address: inout SocketAddress) throws(Errno) {
        try socket.peerName(&address)
    }

    /// As getsockopt(2) of level SOL_SOCKET.
    public func option(_ option: SocketOption) throws(Errno) -> SocketOptionValue {
        try socket.get(option)
    }

    /// As setsockopt(2) of level SOL_SOCKET, for options that are numbers.
    public func set(_ option: SocketOption, _ value: Int32) throws(Errno) {
        try socket.set(option, value)
    }

    public func setLinger(isOn: Bool, seconds: UInt32) {
        socket.setLinger(isOn: isOn, seconds: seconds)
    }

    public func setTimeout(_ option: SocketOption, _ value: TimeValue) throws(Errno) {
        try socket.setTimeout(option, value)
    }

    /// Whether credentials are to come with what is received.
    public var passesCredentials: Bool { socket.settings.contains(.passCredentials) }

    /// What happened since the last call, for recvmmsg(2).
    public func throwPendingError() throws(Errno) { try socket.throwPendingError() }

    /// Makes the next call fail with what this one may not tell.
    public func keep(_ error: Errno) { socket.pendingError = error }
}
