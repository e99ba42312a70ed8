import LinuxABI

/// Listening, connecting and accepting.
extension UnixSocket {
    func startListening(_ backlog: Int) throws(Errno) {
        guard isConnecting else { throw .notSupported }
        guard address != nil, state != .connected else { throw .invalidArgument }
        let hasMoreRoom = backlog > self.backlog
        self.backlog = backlog
        state = .listening
        credentialsOfPeer = UnixSocket.currentCredentials
        if hasMoreRoom { wakeAllForRoom() }
    }

    func connect(to address: UnsafeRawBufferPointer) throws(Errno) {
        guard isConnecting else { return try connectDatagrams(address) }
        // Even an address that is wrong comes first.
        let listener = try validated(address)
        guard listener.state == .listening, !listener.shutHalves.contains(.receive) else {
            throw .connectionRefused
        }
        guard !listener.isFull else {
            awaitRoom(in: listener)
            throw .wouldBlock
        }
        guard state == .closed else { throw state == .connected ? .isConnected : .invalidArgument }
        let message = try UnixMessage.make(0, charge: 0)
        let end = UnixSocket(type)
        end.address = listener.address
        if listener.settings.contains(.passCredentials) { end.settings.insert(.passCredentials) }
        end.peer = self
        end.state = .connected
        end.credentialsOfPeer = UnixSocket.currentCredentials
        peer = end
        state = .connected
        credentialsOfPeer = listener.credentialsOfPeer
        message.pointee.socket = Unmanaged.passRetained(end)
        listener.incoming.append(message)
        listener.queue.wake(.allReadable)
    }

    private func validated(_ address: UnsafeRawBufferPointer) throws(Errno) -> UnixSocket {
        guard UnixSocket.family(of: address) == .unix, address.count > 2 else {
            throw .invalidArgument
        }
        try bindIfCredentialsPass()
        return try find(address)
    }

    func takeConnection() throws(Errno) -> UnixSocket {
        guard isConnecting else { throw .notSupported }
        guard state == .listening else { throw .invalidArgument }
        guard let message = incoming.takeFirst() else {
            try throwPendingError()
            throw shutHalves.contains(.receive) ? .invalidArgument : .wouldBlock
        }
        let end = message.pointee.socket!.takeUnretainedValue()
        message.free()
        wakeForRoom()
        return end
    }

    /// Says where datagrams go by default; AF_UNSPEC takes it back.
    private func connectDatagrams(_ address: UnsafeRawBufferPointer) throws(Errno) {
        guard address.count >= 2 else { throw .invalidArgument }
        var other: UnixSocket?
        if UnixSocket.family(of: address) != .unspecified {
            let found = try validated(address)
            guard mayBeSentTo(found) else { throw .notPermitted }
            found.state = .connected
            state = .connected
            other = found
        } else {
            state = .closed
        }
        let old = peer
        peer = other
        guard let old, old !== other else { return }
        disconnect(from: old)
    }

    /// Whether another takes datagrams of this one: those that are connected take only their peer's.
    func mayBeSentTo(_ other: UnixSocket) -> Bool { other.peer == nil || other.peer === self }

    /// Drops what came by a connection that is no more, and tells the other end of the loss.
    func disconnect(from old: UnixSocket) {
        if incoming.first != nil {
            purge()
            wakeForRoom()
            if !old.isDead, old.peer === self {
                old.pendingError = .connectionReset
                old.queue.wake(.error)
            }
        }
        if old.peer == nil { old.state = .closed }
    }

    func shut(_ halves: Halves) throws(Errno) {
        shutHalves.formUnion(halves)
        queue.wake(.all)
        if state == .listening { wakeAllForRoom() }
        guard isConnecting, let peer else { return }
        if halves.contains(.receive) { peer.shutHalves.insert(.send) }
        if halves.contains(.send) { peer.shutHalves.insert(.receive) }
        peer.queue.wake(.all)
    }
}
