import LinuxABI

/// A socket between processes of one kernel: unix(7).
final class UnixSocket: Socket {
    enum State {
        case closed, listening, connected
    }

    var state = State.closed
    /// The other end of a connection, or where datagrams go by default. It stays when the other end
    /// is closed, as its name can still be asked for.
    var peer: UnixSocket?
    private(set) var isDead = false
    /// What bind(2) gave it; an accepted socket has its listener's.
    var address: UnixAddress?
    /// Whether it is in the table of abstract names.
    var isAbstract = false
    /// Messages, or connections that wait.
    var incoming = UnixMessageQueue()
    /// What of `sendLimit` is taken by messages that nobody received yet.
    var charged = 0
    /// How many may wait in the queue of those who are not connected back; one more fits.
    var backlog = UnixSocket.datagramBacklog
    /// Those who wait for room in `incoming`; made by the first.
    private var room: WaitQueue?
    /// This socket's place among those who wait for room elsewhere.
    private var roomWaiter: RoomWaiter?
    /// Who made the connection, or listens.
    var credentialsOfPeer = SocketCredentials.none

    @Lent var file: SocketFile?
    /// How often its file is on its way between processes.
    var flights = 0
    /// What `Rights.collectGarbage` knows of it.
    var isReached = false
    var nextReached: Unmanaged<UnixSocket>?

    @Lent private var next: UnixSocket?
    @Lent private var previous: UnixSocket?
    nonisolated(unsafe) private static var first: Unmanaged<UnixSocket>?

    /// net.unix.max_dgram_qlen
    static let datagramBacklog = 10

    init(_ type: SocketType) {
        super.init(.unix, type, 0)
        if let first = UnixSocket.first {
            next = first.lent
            first.lent.previous = self
        }
        UnixSocket.first = Unmanaged.passUnretained(self)
    }

    deinit {
        if let previous {
            previous.next = next
        } else {
            UnixSocket.first = next.map(Unmanaged.passUnretained)
        }
        next?.previous = previous
    }

    /// socket(2)
    static func make(_ type: UInt32, _ protocolNumber: Int32) throws(Errno) -> UnixSocket {
        guard protocolNumber == 0 || protocolNumber == Int32(SocketFamily.unix.rawValue) else {
            throw .protocolNotSupported
        }
        switch SocketType(rawValue: UInt8(type)) {
        case .stream: return UnixSocket(.stream)
        // As on BSD, which Linux follows.
        case .datagram, .raw: return UnixSocket(.datagram)
        case .sequencedPacket: return UnixSocket(.sequencedPacket)
        case nil: throw .socketTypeNotSupported
        }
    }

    /// Calls `body` with every socket, those on their way to accept(2) among them.
    static func forEach(_ body: (UnixSocket) -> Void) {
        var cursor = first
        while let socket = cursor {
            cursor = socket.lent.next.map(Unmanaged.passUnretained)
            socket.lend(body)
        }
    }

    /// Whether two of them are the ends of a connection.
    var isConnecting: Bool { type != .datagram }

    override var isListening: Bool { state == .listening }

    override var peerCredentials: SocketCredentials { credentialsOfPeer }

    override func requirePassingOfCredentials() throws(Errno) {}

    /// Who acts now, as SO_PEERCRED tells it.
    static var currentCredentials: SocketCredentials {
        let process = Process.current
        return SocketCredentials(
            process: process.id,
            user: process.credentials.effectiveUser,
            group: process.credentials.effectiveGroup
        )
    }

    override func makePair(with other: Socket) throws(Errno) {
        guard let other = other as? UnixSocket else { throw .notSupported }
        peer = other
        other.peer = self
        state = .connected
        other.state = .connected
        credentialsOfPeer = UnixSocket.currentCredentials
        other.credentialsOfPeer = credentialsOfPeer
    }

    // MARK: Calls

    override func bind(_ address: UnsafeRawBufferPointer) throws(Errno) { try takeName(address) }

    override func listen(_ backlog: Int) throws(Errno) { try startListening(backlog) }

    override func connect(_ address: UnsafeRawBufferPointer) throws(Errno) {
        try connect(to: address)
    }

    override func accept() throws(Errno) -> Socket { try takeConnection() }

    override func name(_ address: inout SocketAddress) throws(Errno) { appendName(to: &address) }

    override func peerName(_ address: inout SocketAddress) throws(Errno) {
        guard let peer else { throw .notConnected }
        peer.appendName(to: &address)
    }

    override func shutDown(_ halves: Halves) throws(Errno) { try shut(halves) }

    override func send(_ transfer: inout Transfer, _ message: inout OutgoingMessage)
        throws(Errno) -> Int
    {
        guard type == .stream else { return try sendDatagram(&transfer, &message) }
        return try sendStream(&transfer, &message)
    }

    override func receive(_ transfer: inout Transfer, _ message: inout IncomingMessage)
        throws(Errno) -> Int
    {
        guard type == .stream else { return try receiveDatagram(&transfer, &message) }
        return try receiveStream(&transfer, &message)
    }

    // MARK: The end

    override func close() {
        file = nil
        end(wasAccepted: true)
    }

    /// Ends the socket; `wasAccepted` is false for a connection that its listener never took.
    func end(wasAccepted: Bool) {
        isDead = true
        shutHalves = .both
        let wasListening = state == .listening
        state = .closed
        releaseName()
        room?.wake(.all)
        if let waiter = roomWaiter { waiter.leave() }
        if let peer, isConnecting {
            peer.shutHalves = .both
            if incoming.first != nil || !wasAccepted { peer.pendingError = .connectionReset }
            peer.queue.wake(.all)
        }
        purge(ofListener: wasListening)
        peer = nil
    }

    /// Drops what was not received.
    func purge(ofListener: Bool = false) {
        while let message = incoming.takeFirst() {
            if ofListener {
                message.pointee.socket?.lent.end(wasAccepted: false)
            } else {
                release(message)
            }
            message.free()
        }
    }

    /// Gives the sender's memory back.
    @inline(__always)
    func release(_ message: UnixMessage.Pointer) {
        let charge = Int(message.pointee.charge)
        if let sender = message.pointee.socket {
            sender.lend { $0.discharge(charge) }
        } else if let peer {
            Unmanaged.passUnretained(peer).lend { $0.discharge(charge) }
        }
    }

    @inline(__always)
    func discharge(_ charge: Int) {
        charged &-= charge
        // As on Linux: a quarter is taken at most when writers are told.
        if charged &<< 2 <= sendLimit { queue.wake([.allWritable, .writeBand]) }
    }

    // MARK: Room

    /// Whether more messages, or connections, wait than should.
    var isFull: Bool { incoming.count > backlog }

    /// Tells those who wait for room in this socket's queue.
    @inline(__always)
    func wakeForRoom() { room?.wake(.allWritable) }

    func wakeAllForRoom() { room?.wake(.all) }

    /// Wakes this socket's writers when there is room in another's queue.
    func awaitRoom(in other: UnixSocket) {
        let waiter = roomWaiter ?? RoomWaiter(self)
        roomWaiter = waiter
        if other.room == nil { other.room = WaitQueue() }
        guard waiter.queue !== other.room else { return }
        waiter.leave()
        other.room!.add(waiter)
    }

    // MARK: Polling

    private var isWritable: Bool { state != .listening && charged &<< 2 <= sendLimit }

    override func readiness() -> PollEvents {
        var events: PollEvents = []
        if pendingError != nil { events.insert(.error) }
        if shutHalves == .both { events.insert(.hangUp) }
        if shutHalves.contains(.receive) { events.formUnion([.readHangUp, .allReadable]) }
        if incoming.first != nil { events.formUnion(.allReadable) }
        if isConnecting, state == .closed { events.insert(.hangUp) }
        if isWritable, !isPeerFull() { events.formUnion([.allWritable, .writeBand]) }
        return events
    }

    /// Whether datagrams to the default peer find no room; it is told of when there is some.
    private func isPeerFull() -> Bool {
        guard type != .stream, let peer, peer.peer !== self, peer.isFull, !peer.isDead else {
            return false
        }
        awaitRoom(in: peer)
        return true
    }

    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        let value: Int
        switch request {
        case ControlRequest.readableBytes:
            guard state != .listening else { throw .invalidArgument }
            value = isConnecting ? incoming.byteCount : Int(incoming.first?.pointee.count ?? 0)
        case ControlRequest.outputQueue: value = charged
        default: throw .notTerminal
        }
        try UserPointer<Int32>(argument).store(Int32(clamping: value))
        return 0
    }
}

/// A socket that waits for room in the queue of another.
private final class RoomWaiter: WaitEntry {
    unowned(unsafe) let socket: UnixSocket

    init(_ socket: UnixSocket) { self.socket = socket }

    override func notify(_ events: PollEvents) -> Bool {
        leave()
        socket.queue.wake([.allWritable, .writeBand])
        return false
    }
}
