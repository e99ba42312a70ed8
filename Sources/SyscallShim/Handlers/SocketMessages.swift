import Kernel
import LinuxABI

/// The most that `msg_control` may have: net.core.optmem_max.
private let largestControl: UInt = 131_072
/// UIO_MAXIOV
private let mostSegments: UInt = 1024

private func socketFile(_ descriptor: UInt, _ thread: Thread) throws(Errno) -> SocketFile {
    try thread.process.descriptors.socket(FileDescriptor(descriptor))
}

/// Throws `badAddress` for a buffer outside the program, before anything else is looked at.
private func checkedBuffer(_ buffer: UInt, _ count: UInt) throws(Errno) -> Transfer {
    let length = min(UInt(Transfer.limit), count)
    guard UserMemory.isProgram(buffer, Int(length)) else { throw .badAddress }
    return Transfer(UserBuffer(address: buffer, count: Int(length)))
}

/// sendto(2)
func sysSendTo(
    _ descriptor: UInt,
    _ buffer: UInt,
    _ count: UInt,
    _ flags: UInt,
    _ address: UInt,
    _ length: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        var transfer = try checkedBuffer(buffer, count)
        let file = try socketFile(descriptor, thread)
        var message = OutgoingMessage(MessageFlags(rawValue: flags.low))
        guard address != 0 else { return try file.send(&transfer, &message) }
        return try withSocketAddress(address, length) { (name) throws(Errno) in
            // An address without any bytes is none.
            message.address = name.isEmpty ? nil : name
            return try file.send(&transfer, &message)
        }
    }
}

/// recvfrom(2)
func sysReceiveFrom(
    _ descriptor: UInt,
    _ buffer: UInt,
    _ count: UInt,
    _ flags: UInt,
    _ address: UInt,
    _ length: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        var transfer = try checkedBuffer(buffer, count)
        let file = try socketFile(descriptor, thread)
        let flags = MessageFlags(rawValue: flags.low)
        var message = IncomingMessage(
            flags,
            isNonBlocking: file.isNonBlocking || flags.contains(.dontWait)
        )
        guard address != 0 else { return try file.receive(&transfer, &message) }
        var source = SocketAddress()
        let done = try withUnsafeMutablePointer(to: &source) { (source) throws(Errno) in
            message.source = source
            return try file.receive(&transfer, &message)
        }
        try store(&source, at: address, lengthAt: length)
        return done
    }
}

// MARK: Headers

/// Sends what the header at an address says.
private func send(_ file: SocketFile, _ address: UInt, _ flags: MessageFlags, _ thread: Thread)
    throws(Errno) -> Int
{
    guard !flags.contains(.compatible) else { throw .invalidArgument }
    let header = try UserPointer<MessageHeader>(address).load()
    let nameLength = header.name == 0 ? 0 : header.nameLength
    guard nameLength >= 0 else { throw .invalidArgument }
    var message = OutgoingMessage(flags)
    let length = UInt(min(nameLength, Int32(SocketAddress.size)))
    return try withSocketAddress(header.name, length) { (name) throws(Errno) in
        if !name.isEmpty { message.address = name }
        guard header.vectorCount <= mostSegments else { throw .messageTooLong }
        return try thread.process.descriptors.withVector(header.vector, Int(header.vectorCount)) {
            (transfer) throws(Errno) in
            try takeControl(header, &message, thread)
            return try file.send(&transfer, &message)
        }
    }
}

private func takeControl(
    _ header: MessageHeader,
    _ message: inout OutgoingMessage,
    _ thread: Thread
) throws(Errno) {
    guard header.control != 0, header.controlLength > 0 else { return }
    guard header.controlLength <= largestControl else { throw .noBufferSpace }
    let memory = try KernelBuffer(Int(header.controlLength))
    try UserMemory.read(memory.bytes, at: header.control)
    try message.takeControl(UnsafeRawBufferPointer(memory.bytes), thread.process)
}

/// SENDMSG or RECVMSG of io_uring(7).
func moveMessage(_ file: SocketFile, _ address: UInt, _ flags: MessageFlags, _ isSend: Bool) -> Int
{
    answer { (thread) throws(Errno) in
        isSend
            ? try send(file, address, flags, thread) : try receive(file, address, flags, thread)
    }
}

/// sendmsg(2)
func sysSendToSocket(_ descriptor: UInt, _ header: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let file = try socketFile(descriptor, thread)
        return try send(file, header, MessageFlags(rawValue: flags.low), thread)
    }
}

/// sendmmsg(2)
func sysSendManyToSocket(
    _ descriptor: UInt,
    _ list: UInt,
    _ count: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let flags = MessageFlags(rawValue: flags.low)
        guard !flags.contains(.compatible) else { throw .invalidArgument }
        let file = try socketFile(descriptor, thread)
        var sent: UInt = 0
        do throws(Errno) {
            while sent < min(UInt(count.low), mostSegments) {
                let entry = list &+ sent &* MessageHeader.stride
                let length = try send(file, entry, flags, thread)
                try UserPointer<UInt32>(entry &+ MessageHeader.lengthOffset).store(UInt32(length))
                sent += 1
            }
        } catch {
            guard sent > 0 else { throw error }
        }
        return Int(sent)
    }
}

/// Receives into what the header at an address says, and tells there what was received.
private func receive(
    _ file: SocketFile,
    _ address: UInt,
    _ flags: MessageFlags,
    _ thread: Thread
) throws(Errno) -> Int {
    guard !flags.contains(.compatible) else { throw .invalidArgument }
    let header = try UserPointer<MessageHeader>(address).load()
    guard header.name == 0 || header.nameLength >= 0 else { throw .invalidArgument }
    guard header.vectorCount <= mostSegments else { throw .messageTooLong }
    var message = IncomingMessage(
        flags,
        isNonBlocking: file.isNonBlocking || flags.contains(.dontWait)
    )
    var source = SocketAddress()
    let done = try withUnsafeMutablePointer(to: &source) { (source) throws(Errno) in
        if header.name != 0 { message.source = source }
        return try thread.process.descriptors.withVector(header.vector, Int(header.vectorCount)) {
            (transfer) throws(Errno) in try file.receive(&transfer, &message)
        }
    }
    message.source = nil
    let control = try message.giveControl(
        to: UserBuffer(
            address: header.control,
            count: Int(min(header.controlLength, UInt(Int32.max)))
        ),
        thread.process
    )
    if header.name != 0 {
        try store(&source, at: header.name, lengthAt: address &+ MessageHeader.nameLengthOffset)
    }
    let received = message.received.union(flags.intersection(.closeOnExec))
    try UserPointer<UInt32>(address &+ MessageHeader.flagsOffset).store(received.rawValue)
    try UserPointer<UInt>(address &+ MessageHeader.controlLengthOffset).store(UInt(control))
    return done
}

/// recvmsg(2)
func sysReceiveFromSocket(
    _ descriptor: UInt,
    _ header: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt,
    _: UInt
)
    -> Int
{
    answer { (thread) throws(Errno) in
        let file = try socketFile(descriptor, thread)
        return try receive(file, header, MessageFlags(rawValue: flags.low), thread)
    }
}

/// recvmmsg(2)
func sysReceiveManyFromSocket(
    _ descriptor: UInt,
    _ list: UInt,
    _ count: UInt,
    _ flags: UInt,
    _ timeout: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let flags = MessageFlags(rawValue: flags.low)
        guard !flags.contains(.compatible) else { throw .invalidArgument }
        let end = try timeoutEnd(timeout)
        defer { storeRemaining(timeout, end, isSpecification: true) }
        let file = try socketFile(descriptor, thread)
        try file.throwPendingError()
        return try receiveMany(file, list, UInt(count.low), flags, end, thread)
    }
}

private func receiveMany(
    _ file: SocketFile,
    _ list: UInt,
    _ count: UInt,
    _ flags: MessageFlags,
    _ end: Nanoseconds,
    _ thread: Thread
) throws(Errno) -> Int {
    var flags = flags
    let waitsForOne = flags.contains(.waitForOne)
    flags.remove(.waitForOne)
    var done: UInt = 0
    do throws(Errno) {
        while done < count {
            let entry = list &+ done &* MessageHeader.stride
            let length = try receive(file, entry, flags, thread)
            try UserPointer<UInt32>(entry &+ MessageHeader.lengthOffset).store(UInt32(length))
            done += 1
            if waitsForOne { flags.insert(.dontWait) }
            // The time is looked at between messages only, as on Linux.
            if end != .never, now() >= end { break }
        }
    } catch {
        guard done > 0 else { throw error }
        if error != .wouldBlock { file.keep(error) }
    }
    return Int(done)
}

/// Moving messages.
let socketMessageRows: InlineArray<_, Row> = [
    Row(
        44,
        "sendto",
        sysSendTo,
        .partial,
        .descriptor,
        .input,
        .size,
        .messageFlags,
        .socketAddress,
        .integer,
        restart: .byAction,
        note: "AF_UNIX without MSG_OOB, which is EOPNOTSUPP"
    ),
    Row(
        45,
        "recvfrom",
        sysReceiveFrom,
        .partial,
        .descriptor,
        .output,
        .size,
        .messageFlags,
        .socketAddressResult,
        .integerResult,
        restart: .byAction,
        note: "AF_UNIX without MSG_OOB, which is EOPNOTSUPP"
    ),
    Row(
        46,
        "sendmsg",
        sysSendToSocket,
        .partial,
        .descriptor,
        .messageHeader,
        .messageFlags,
        restart: .byAction,
        note: "SCM_RIGHTS and SCM_CREDENTIALS; no MSG_OOB, SCM_PIDFD"
    ),
    Row(
        47,
        "recvmsg",
        sysReceiveFromSocket,
        .partial,
        .descriptor,
        .messageHeaderResult,
        .messageFlags,
        restart: .byAction,
        note: "SCM_RIGHTS and SCM_CREDENTIALS; no MSG_OOB, SCM_PIDFD, SCM_SECURITY"
    ),
    Row(
        299,
        "recvmmsg",
        sysReceiveManyFromSocket,
        .partial,
        .descriptor,
        .address,
        .unsigned,
        .messageFlags,
        .time,
        restart: .byAction,
        note: "as recvmsg"
    ),
    Row(
        307,
        "sendmmsg",
        sysSendManyToSocket,
        .partial,
        .descriptor,
        .address,
        .unsigned,
        .messageFlags,
        restart: .byAction,
        note: "as sendmsg"
    ),
]
