import Kernel
import LinuxABI

/// Requests for sockets.
extension Ring {
    /// IORING_RECVSEND_POLL_FIRST, IORING_ACCEPT_DONTWAIT and IORING_ACCEPT_POLL_FIRST
    private static let pollsFirst: UInt16 = 1
    private static let acceptsAtOnce: UInt16 = 2
    private static let acceptPollsFirst: UInt16 = 4

    private func socket(_ request: Request) throws(Errno) -> SocketFile {
        guard let file = request.file as? SocketFile else { throw .notSocket }
        return file
    }

    /// Waits first, as the program asked, unless something can be done already.
    private func waitsFirst(_ request: Request, _ flag: UInt16, _ events: PollEvents) -> Bool {
        guard request.entry.priority & flag != 0, !request.isListed else { return false }
        return request.file!.readiness().isDisjoint(with: events.union(.unasked))
    }

    /// SEND and RECV.
    func moveBytes(_ request: Request) throws(Errno) -> Step {
        let entry = request.entry
        let isSend = request.operation == .send
        let events: PollEvents = isSend ? .allWritable : .allReadable
        let file = try socket(request)
        if waitsFirst(request, Ring.pollsFirst, events) { return .waits(events) }
        let flags = MessageFlags(rawValue: entry.options)
        var transfer = Transfer(UserBuffer(address: UInt(entry.address), count: Int(entry.length)))
        transfer.skip(request.done)
        do throws(Errno) {
            let count =
                isSend
                ? try send(file, entry, flags, &transfer) : try receive(file, flags, &transfer)
            request.done += count
        } catch {
            guard request.done == 0 || error == .wouldBlock else { return settle(request, flags) }
            guard error == .wouldBlock, !flags.contains(.dontWait) else { throw error }
            return .waits(events)
        }
        let isShort = transfer.remaining > 0 && flags.contains(.waitAll)
        // Zero bytes are the end.
        if isShort, request.done > 0, !file.readiness().contains(.hangUp),
            !flags.contains(.dontWait)
        {
            return .waits(events)
        }
        return settle(request, flags)
    }

    private func settle(_ request: Request, _ flags: MessageFlags) -> Step {
        let isShort = flags.contains(.waitAll) && request.done < Int(request.entry.length)
        return .done(request.done, isFailure: isShort)
    }

    private func send(
        _ file: SocketFile,
        _ entry: SubmissionEntry,
        _ flags: MessageFlags,
        _ transfer: inout Transfer
    ) throws(Errno) -> Int {
        var message = OutgoingMessage(flags.union([.noSignal, .dontWait]))
        guard entry.offset != 0 else { return try file.send(&transfer, &message) }
        let count = Int(entry.fileIndex & 0xffff)
        guard count <= SocketAddress.size else { throw .invalidArgument }
        var storage = SocketAddress()
        return try withUnsafeMutableBytes(of: &storage.bytes) { (bytes) throws(Errno) in
            let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<count])
            try UserMemory.read(part, at: UInt(entry.offset))
            message.address = count == 0 ? nil : UnsafeRawBufferPointer(part)
            return try file.send(&transfer, &message)
        }
    }

    private func receive(
        _ file: SocketFile,
        _ flags: MessageFlags,
        _ transfer: inout Transfer
    ) throws(Errno) -> Int {
        var message = IncomingMessage(flags, isNonBlocking: true)
        return try file.receive(&transfer, &message)
    }

    /// SENDMSG and RECVMSG.
    func moveMessage(_ request: Request) throws(Errno) -> Step {
        let entry = request.entry
        let isSend = request.operation == .sendMessage
        let events: PollEvents = isSend ? .allWritable : .allReadable
        let file = try socket(request)
        if waitsFirst(request, Ring.pollsFirst, events) { return .waits(events) }
        var flags = MessageFlags(rawValue: entry.options)
        let waits = !flags.contains(.dontWait)
        flags.insert(.dontWait)
        if isSend { flags.insert(.noSignal) }
        let result = RingCalls.moveMessage(file, UInt(entry.address), flags, isSend)
        guard waits, result == -Int(Errno.wouldBlock.rawValue) else {
            return .done(result, isFailure: result < 0)
        }
        return .waits(events)
    }

    // MARK: Connections

    func accept(_ request: Request) throws(Errno) -> Step {
        let entry = request.entry
        let file = try socket(request)
        if waitsFirst(request, Ring.acceptPollsFirst, .allReadable) { return .waits(.allReadable) }
        while true {
            let result: Int
            do throws(Errno) { result = try acceptOne(file, entry) } catch {
                guard error == .wouldBlock, entry.priority & Ring.acceptsAtOnce == 0 else {
                    throw error
                }
                return .waits(.allReadable)
            }
            guard request.isMultishot, postMore(request, Int32(result)) else {
                return .done(result, isFailure: false)
            }
        }
    }

    private func acceptOne(_ file: SocketFile, _ entry: SubmissionEntry) throws(Errno) -> Int {
        let flags = OpenFlags(rawValue: entry.options)
        let table = Process.current.descriptors!
        if entry.fileIndex == 0 { try table.checkRoom() }
        let socket = try file.withoutWaiting { () throws(Errno) in try file.accept() }
        let made = SocketFile(socket, isNonBlocking: flags.contains(.nonBlocking))
        if entry.address != 0 { try tellName(of: socket, entry) }
        guard entry.fileIndex == 0 else { return try keep(made, entry.fileIndex) }
        return Int(
            try table.insert(made, closesOnExec: flags.contains(.closeOnExec)).rawValue
        )
    }

    private func tellName(of socket: Socket, _ entry: SubmissionEntry) throws(Errno) {
        var name = SocketAddress()
        do throws(Errno) { try socket.tellPeerName(&name) } catch { throw .connectionAborted }
        let length = UserPointer<Int32>(UInt(entry.offset))
        let room = Int(try length.load())
        guard room >= 0 else { throw .invalidArgument }
        try length.store(Int32(name.count))
        let count = min(room, name.count)
        try withUnsafeBytes(of: &name.bytes) { (bytes) throws(Errno) in
            let part = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            try UserMemory.write(part, at: UInt(entry.address))
        }
    }
}
