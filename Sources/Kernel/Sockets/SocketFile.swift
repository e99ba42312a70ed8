import LinuxABI

/// The open file of a socket.
public final class SocketFile: OpenFile {
    public let socket: Socket

    public init(_ socket: Socket, isNonBlocking: Bool) {
        self.socket = socket
        let flags: OpenFlags = isNonBlocking ? [.readWrite, .nonBlocking] : .readWrite
        super.init(flags: flags, traits: [.writesAll, .socket])
        (socket as? UnixSocket)?.file = self
    }

    deinit {
        stopTelling()
        socket.close()
        // What lay in its queue may hang together now.
        Rights.collectGarbage()
    }

    public override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(socket.queue) }

    public override func readiness() -> PollEvents { socket.readiness() }

    override var tellsNews: Bool { true }

    public override var isSpliceable: Bool { true }

    @_optimize(speed)
    public override func read(_ transfer: inout Transfer, at position: inout Int)
        throws(Errno) -> Int
    {
        guard transfer.remaining > 0 else { return 0 }
        var message = IncomingMessage([], isNonBlocking: isNonBlocking)
        let count = try socket.receive(&transfer, &message)
        // Whoever set SO_RCVLOWAT waits for more.
        guard count < socket.lowWater, count > 0, !isNonBlocking else { return count }
        return try receiveRest(&transfer, &message, after: count)
    }

    @_optimize(speed)
    public override func write(_ transfer: inout Transfer, at position: inout Int)
        throws(Errno) -> Int
    {
        var message = OutgoingMessage([])
        do throws(Errno) {
            return try socket.send(&transfer, &message)
        } catch {
            raise(error, message.flags)
            throw error
        }
    }

    override func readAgain(_ transfer: inout Transfer) throws(Errno) -> Int {
        var message = IncomingMessage([], isNonBlocking: false)
        return try receiveRest(&transfer, &message, after: 0)
    }

    override func writeAgain(_ transfer: inout Transfer, after count: Int) throws(Errno) -> Int {
        // A message is sent whole by one attempt.
        guard count == 0 || socket.type == .stream else { return count }
        var message = OutgoingMessage([])
        return try sendRest(&transfer, &message, after: count)
    }

    public override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        switch request {
        case SocketFile.setOwner: owner.id = try UserPointer<Int32>(argument).load()
        case SocketFile.getOwner: try UserPointer<Int32>(argument).store(owner.id)
        default: return try socket.control(request, argument)
        }
        return 0
    }

    /// FIOSETOWN is 0x8901, and SIOCSPGRP, which is the same, 0x8902; SIOCGPGRP
    private static let setOwner: UInt32 = 0x8902
    private static let getOwner: UInt32 = 0x8904

    public override func fill(_ status: inout FileStatus) throws(Errno) {
        status.device = AnonymousFiles.socketDevice
        status.inode = socket.inode
        status.mode = FileMode(.socket, permissions: socket.permissions).rawValue
        status.user = socket.user
        status.group = socket.group
    }

    public override func describe(into text: inout TextBuffer) {
        text.append("socket:[")
        text.append(socket.inode)
        text.append("]")
    }

    /// A cycle of sockets that hold each other's files may hang by this descriptor.
    public override func descriptorClosed() { Rights.collectGarbage() }
}

/// Sending, receiving and connecting, with waiting.
extension SocketFile {
    /// As sendmsg(2).
    @_optimize(speed)
    public func send(_ transfer: inout Transfer, _ message: inout OutgoingMessage)
        throws(Errno) -> Int
    {
        var done = 0
        do throws(Errno) {
            done = try socket.send(&transfer, &message)
            guard transfer.remaining > 0, socket.type == .stream else { return done }
        } catch {
            guard error == .wouldBlock else {
                raise(error, message.flags)
                throw error
            }
        }
        if waits(message.flags) { return try sendRest(&transfer, &message, after: done) }
        guard done > 0 else { throw .wouldBlock }
        return done
    }

    /// As recvmsg(2).
    @_optimize(speed)
    public func receive(_ transfer: inout Transfer, _ message: inout IncomingMessage)
        throws(Errno) -> Int
    {
        var done = 0
        do throws(Errno) {
            done = try socket.receive(&transfer, &message)
            guard done > 0, !isEnough(done, transfer, message) else { return done }
        } catch {
            guard error == .wouldBlock, !message.isNonBlocking else { throw error }
        }
        guard !message.isNonBlocking else { return done }
        return try receiveRest(&transfer, &message, after: done)
    }

    /// As connect(2).
    public func connect(_ address: UnsafeRawBufferPointer) throws(Errno) {
        let deadline = SocketFile.deadline(socket.sendTimeout)
        while true {
            do throws(Errno) { return try socket.connect(address) } catch {
                guard error == .wouldBlock, !isNonBlocking else { throw error }
            }
            try wait(.writable, deadline)
        }
    }

    /// As accept(2), without a descriptor.
    public func accept() throws(Errno) -> Socket {
        let deadline = SocketFile.deadline(socket.receiveTimeout)
        while true {
            do throws(Errno) { return try socket.accept() } catch {
                guard error == .wouldBlock, !isNonBlocking else { throw error }
            }
            try wait(.readable, deadline)
        }
    }

    private func waits(_ flags: MessageFlags) -> Bool {
        !isNonBlocking && !flags.contains(.dontWait)
    }

    /// Goes on with what is left until all is sent.
    @inline(never)
    private func sendRest(
        _ transfer: inout Transfer,
        _ message: inout OutgoingMessage,
        after first: Int
    ) throws(Errno) -> Int {
        // Another thread may close the descriptor while this one waits.
        let held = Unmanaged.passRetained(self)
        defer { held.release() }
        let deadline = SocketFile.deadline(socket.sendTimeout)
        var done = first
        do throws(Errno) {
            while true {
                do throws(Errno) {
                    done += try socket.send(&transfer, &message)
                    guard transfer.remaining > 0, socket.type == .stream else { return done }
                } catch {
                    guard error == .wouldBlock, waits(message.flags) else { throw error }
                }
                try wait(.writable, deadline)
                // Who waited hears of a reset; who only comes finds a broken pipe.
                try socket.throwPendingError()
            }
        } catch {
            guard done == 0 else { return done }
            raise(error, message.flags)
            throw error
        }
    }

    @_optimize(speed)
    @inline(never)
    private func receiveRest(
        _ transfer: inout Transfer,
        _ message: inout IncomingMessage,
        after first: Int
    ) throws(Errno) -> Int {
        guard first == 0 || !isEnough(first, transfer, message) else { return first }
        let held = Unmanaged.passRetained(self)
        defer { held.release() }
        let deadline = SocketFile.deadline(socket.receiveTimeout)
        var done = first
        do throws(Errno) {
            while true {
                try wait(.readable, deadline)
                do throws(Errno) {
                    let count = try socket.receive(&transfer, &message)
                    done += count
                    guard count > 0, !isEnough(done, transfer, message) else { return done }
                } catch {
                    guard error == .wouldBlock, !message.isNonBlocking else { throw error }
                }
            }
        } catch {
            guard done == 0 else { return done }
            throw error
        }
    }

    /// Whether what was received is all that is waited for: SO_RCVLOWAT, MSG_WAITALL.
    private func isEnough(_ done: Int, _ transfer: Transfer, _ message: IncomingMessage) -> Bool {
        guard socket.type == .stream, transfer.remaining > 0, !message.isComplete else {
            return true
        }
        return done >= socket.lowWater && !message.flags.contains(.waitAll)
    }

    private static func deadline(_ timeout: Nanoseconds) -> Nanoseconds {
        timeout == .never ? .never : Clock.deadline(after: timeout)
    }

    /// Waits until something changes; `wouldBlock` at the deadline.
    private func wait(_ events: PollEvents, _ deadline: Nanoseconds) throws(Errno) {
        do throws(Errno) {
            try socket.queue.wait(for: events.union(.unasked), until: deadline)
        } catch {
            guard error != .timedOut else { throw .wouldBlock }
            // A call with a time-out is not started again, whatever the handler: signal(7).
            if deadline != .never { Thread.current.signals.interruptedWait = false }
            throw error
        }
    }

    /// Whoever writes to a stream without a reader is told by a signal too.
    private func raise(_ error: Errno, _ flags: MessageFlags) {
        guard error == .brokenPipe, socket.type == .stream, !flags.contains(.noSignal) else {
            return
        }
        Signals.raiseBrokenPipe()
    }
}
