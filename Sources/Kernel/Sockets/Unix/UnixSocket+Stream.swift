import LinuxABI

/// Streams: bytes in pieces, whose bounds nobody sees but where files or credentials come with one.
extension UnixSocket {
    @inline(__always)
    func sendStream(_ transfer: inout Transfer, _ message: inout OutgoingMessage)
        throws(Errno) -> Int
    {
        guard !message.flags.contains(.outOfBand) else { throw .notSupported }
        guard message.address == nil else {
            throw state == .connected ? .isConnected : .notSupported
        }
        guard peer != nil else { throw .notConnected }
        guard !shutHalves.contains(.send) else { throw .brokenPipe }
        return try Unmanaged.passUnretained(peer.unsafelyUnwrapped).lend { (peer) throws(Errno) in
            try sendPieces(&transfer, &message, to: peer)
        }
    }

    @inline(__always)
    private func sendPieces(
        _ transfer: inout Transfer,
        _ message: inout OutgoingMessage,
        to peer: UnixSocket
    ) throws(Errno) -> Int {
        var done = 0
        do throws(Errno) {
            while transfer.remaining > 0 {
                try throwPendingError()
                guard charged < sendLimit else { throw .wouldBlock }
                let most = min(sendLimit >> 1 - 64, UnixMessage.largestPiece)
                let count = min(transfer.remaining, most)
                let piece = try UnixMessage.make(
                    count,
                    charge: UnixMessage.charge(count, linear: UnixMessage.linearPiece)
                )
                try fill(piece, &transfer, &message, for: peer)
                guard !peer.shutHalves.contains(.receive) else {
                    piece.free()
                    throw .brokenPipe
                }
                charged &+= Int(piece.pointee.charge)
                peer.incoming.append(piece)
                done &+= count
            }
        } catch {
            guard done > 0 else { throw error }
        }
        if done > 0 { peer.queue.wake(.allReadable) }
        return done
    }

    /// Fills a message with bytes and what goes with them; frees it when that fails.
    @inline(__always)
    func fill(
        _ piece: UnixMessage.Pointer,
        _ transfer: inout Transfer,
        _ message: inout OutgoingMessage,
        for receiver: UnixSocket?
    ) throws(Errno) {
        let count = Int(piece.pointee.count)
        var taken = 0
        if count > 0 {
            do throws(Errno) { taken = try transfer.take(piece.bytes, count) } catch {
                piece.free()
                throw error
            }
        }
        guard taken == count else {
            piece.free()
            throw .badAddress
        }
        if let credentials = message.credentials {
            piece.pointee.credentials = credentials
        } else if settings.contains(.passCredentials)
            || receiver?.settings.contains(.passCredentials) != false
        {
            piece.pointee.credentials = UnixSocket.realCredentials
        }
        if let rights = message.rights {
            piece.pointee.rights = Unmanaged.passRetained(rights)
            message.rights = nil
        }
    }

    /// Who sends, as SCM_CREDENTIALS tells it.
    private static var realCredentials: SocketCredentials {
        let process = Process.current
        return SocketCredentials(
            process: process.id,
            user: process.credentials.realUser,
            group: process.credentials.realGroup
        )
    }

    @inline(__always)
    func receiveStream(_ transfer: inout Transfer, _ message: inout IncomingMessage)
        throws(Errno) -> Int
    {
        guard !message.flags.contains(.outOfBand) else { throw .notSupported }
        guard state == .connected else { throw .invalidArgument }
        guard incoming.first != nil else { return try atEnd() }
        if message.flags.contains(.peek) { return try peek(&transfer, &message) }
        return try receivePieces(&transfer, &message)
    }

    /// There is nothing to receive: zero when there will never be.
    private func atEnd() throws(Errno) -> Int {
        try throwPendingError()
        guard shutHalves.contains(.receive) else { throw .wouldBlock }
        return 0
    }

    @inline(__always)
    private func receivePieces(_ transfer: inout Transfer, _ message: inout IncomingMessage)
        throws(Errno) -> Int
    {
        var done = 0
        while let piece = incoming.first {
            guard takeSender(of: piece, &message) else { break }
            let count = min(Int(piece.pointee.count), transfer.remaining)
            guard try give(piece.bytes, count, &transfer, after: done) else { break }
            done &+= count
            piece.pointee.start &+= UInt32(truncatingIfNeeded: count)
            piece.pointee.count &-= UInt32(truncatingIfNeeded: count)
            if peekOffset > 0 { peekOffset = max(peekOffset - count, 0) }
            let hasRights = takeRights(of: piece, &message)
            guard piece.pointee.count == 0 else { break }
            _ = incoming.takeFirst()
            release(piece)
            piece.free()
            if hasRights || transfer.remaining == 0 { break }
        }
        return done
    }

    /// Gives bytes of a piece, all of them or none; false when some came before a fault.
    @inline(__always)
    private func give(
        _ bytes: UnsafeRawPointer,
        _ count: Int,
        _ transfer: inout Transfer,
        after done: Int
    ) throws(Errno) -> Bool {
        guard count > 0 else { return true }
        var given = 0
        do throws(Errno) { given = try transfer.give(bytes, count) } catch {
            guard done > 0 else { throw error }
        }
        guard given < count else { return true }
        guard done > 0 else { throw .badAddress }
        return false
    }

    /// Notes who sent a piece. False when it was somebody else than before, which is told apart.
    @inline(__always)
    private func takeSender(of piece: UnixMessage.Pointer, _ message: inout IncomingMessage)
        -> Bool
    {
        if settings.contains(.passCredentials) {
            guard let known = message.credentials else {
                message.credentials = piece.pointee.credentials
                return true
            }
            guard known == piece.pointee.credentials else {
                message.isComplete = true
                return false
            }
        }
        if let source = message.source, source.pointee.count == 0, peer?.address != nil {
            peer?.appendName(to: &source.pointee)
        }
        return true
    }

    /// Takes the files that came with a piece; nothing behind it belongs to the same message.
    @inline(__always)
    private func takeRights(of piece: UnixMessage.Pointer, _ message: inout IncomingMessage)
        -> Bool
    {
        guard let rights = piece.pointee.rights else { return false }
        piece.pointee.rights = nil
        message.rights = rights.takeRetainedValue()
        message.isComplete = true
        return true
    }

    /// MSG_PEEK: looks at what is behind SO_PEEK_OFF, over the bounds of pieces.
    private func peek(_ transfer: inout Transfer, _ message: inout IncomingMessage)
        throws(Errno) -> Int
    {
        var skipped = max(peekOffset, 0)
        var cursor = incoming.first
        while let piece = cursor, skipped >= Int(piece.pointee.count) {
            skipped -= Int(piece.pointee.count)
            cursor = piece.pointee.next
        }
        guard cursor != nil else { return try atEnd() }
        var done = 0
        message.isComplete = true
        while let piece = cursor {
            guard takeSender(of: piece, &message) else { break }
            let count = min(Int(piece.pointee.count) - skipped, transfer.remaining)
            guard try give(piece.bytes + skipped, count, &transfer, after: done) else { break }
            done += count
            skipped = 0
            if let rights = piece.pointee.rights {
                message.rights = rights.takeUnretainedValue()
                break
            }
            guard transfer.remaining > 0 else { break }
            cursor = piece.pointee.next
        }
        if peekOffset >= 0 { peekOffset += done }
        return done
    }
}
