import LinuxABI

/// Datagrams, and packets in the sequence of a connection: messages that arrive whole.
extension UnixSocket {
    func sendDatagram(_ transfer: inout Transfer, _ message: inout OutgoingMessage)
        throws(Errno) -> Int
    {
        var address = message.address
        if type == .sequencedPacket {
            try throwPendingError()
            guard state == .connected else { throw .notConnected }
            address = nil
        }
        guard !message.flags.contains(.outOfBand) else { throw .notSupported }
        if let address {
            guard UnixSocket.family(of: address) == .unix, address.count > 2, address.count <= 110
            else { throw .invalidArgument }
        } else {
            guard peer != nil else { throw .notConnected }
        }
        try bindIfCredentialsPass()
        let count = transfer.remaining
        guard count <= sendLimit - 32 else { throw .messageTooLong }
        try throwPendingError()
        guard !shutHalves.contains(.send) else { throw .brokenPipe }
        guard charged < sendLimit else { throw .wouldBlock }
        return try sendWhole(&transfer, &message, address, count)
    }

    private func sendWhole(
        _ transfer: inout Transfer,
        _ message: inout OutgoingMessage,
        _ address: UnsafeRawBufferPointer?,
        _ count: Int
    ) throws(Errno) -> Int {
        let datagram = try UnixMessage.make(
            count,
            charge: UnixMessage.charge(count, linear: UnixMessage.linearDatagram)
        )
        var rest = transfer
        let rights = message.rights
        try fill(datagram, &rest, &message, for: address == nil ? peer : nil)
        do throws(Errno) {
            let receiver = try receiver(address)
            datagram.pointee.socket = Unmanaged.passRetained(self)
            charged += Int(datagram.pointee.charge)
            receiver.incoming.append(datagram)
            receiver.queue.wake(.allReadable)
        } catch {
            datagram.free()
            // It is tried again when there is room.
            message.rights = rights
            throw error
        }
        transfer = rest
        return count
    }

    /// Who is to get a datagram, and has room for it.
    private func receiver(_ address: UnsafeRawBufferPointer?) throws(Errno) -> UnixSocket {
        let receiver: UnixSocket
        if let address { receiver = try find(address) } else { receiver = peer! }
        guard mayBeSentTo(receiver) else { throw .notPermitted }
        guard !receiver.isDead else {
            guard type == .datagram else { throw .brokenPipe }
            peer = nil
            state = .closed
            disconnect(from: receiver)
            throw .connectionRefused
        }
        guard !receiver.shutHalves.contains(.receive) else { throw .brokenPipe }
        // Who answers has read: only others may fill the queue.
        if receiver !== self, receiver.peer !== self, receiver.isFull {
            awaitRoom(in: receiver)
            throw .wouldBlock
        }
        return receiver
    }

    func receiveDatagram(_ transfer: inout Transfer, _ message: inout IncomingMessage)
        throws(Errno) -> Int
    {
        if type == .sequencedPacket, state != .connected { throw .notConnected }
        guard !message.flags.contains(.outOfBand) else { throw .notSupported }
        try throwPendingError()
        let isPeek = message.flags.contains(.peek)
        var skipped = isPeek ? max(peekOffset, 0) : 0
        var previous: UnixMessage.Pointer?
        var cursor = incoming.first
        // An offset leads over what is shorter, but not over what has no bytes at all.
        while let datagram = cursor, skipped > 0, skipped >= Int(datagram.pointee.count) {
            skipped -= Int(datagram.pointee.count)
            previous = datagram
            cursor = datagram.pointee.next
        }
        guard let datagram = cursor else { return try atEnd(message) }
        if isPeek {
            return try give(datagram, skipped, &transfer, &message)
        }
        incoming.take(datagram, after: previous)
        defer {
            release(datagram)
            datagram.free()
            wakeForRoom()
        }
        return try give(datagram, 0, &transfer, &message)
    }

    private func atEnd(_ message: IncomingMessage) throws(Errno) -> Int {
        guard shutHalves.contains(.receive) else { throw .wouldBlock }
        // Linux tells the end of datagrams only to those who would wait.
        guard type == .sequencedPacket || !message.isNonBlocking else { throw .wouldBlock }
        return 0
    }

    private func give(
        _ datagram: UnixMessage.Pointer,
        _ skipped: Int,
        _ transfer: inout Transfer,
        _ message: inout IncomingMessage
    ) throws(Errno) -> Int {
        let whole = Int(datagram.pointee.count) - skipped
        let count = min(whole, transfer.remaining)
        if count < whole { message.received.insert(.truncated) }
        if let source = message.source, let sender = datagram.pointee.socket?.lent,
            sender.address != nil
        {
            sender.appendName(to: &source.pointee)
        }
        if count > 0 {
            guard try transfer.give(datagram.bytes + skipped, count) == count else {
                throw .badAddress
            }
        }
        if settings.contains(.passCredentials) {
            message.credentials = datagram.pointee.credentials
        }
        message.rights = datagram.pointee.rights?.takeUnretainedValue()
        if peekOffset >= 0 {
            peekOffset =
                message.flags.contains(.peek) ? peekOffset + count : max(peekOffset - whole, 0)
        }
        return message.flags.contains(.truncated) ? whole : count
    }
}
