import Kernel
import LinuxABI

/// Calls `body` with a queue's name, as the C library gives it: without its slash.
private func withQueueName(
    _ address: UInt,
    _ body: (UnsafeRawBufferPointer, Process) throws(Errno) -> Int
) -> Int {
    answer { (thread) throws(Errno) in
        try withUserPath(address) { (name) throws(Errno) in try body(name, thread.process) }
    }
}

/// A point of the real-time clock, or never for a null pointer.
private func deadline(_ pointer: UInt) throws(Errno) -> Nanoseconds {
    guard pointer != 0 else { return .never }
    guard let time = try UserPointer<TimeSpecification>(pointer).load().total else {
        throw .invalidArgument
    }
    return try Clock.deadline(at: time, on: .realtime)
}

/// mq_open(2)
func sysOpenQueue(
    _ name: UInt,
    _ flags: UInt,
    _ mode: UInt,
    _ attributes: UInt,
    _: UInt,
    _: UInt
) -> Int {
    withQueueName(name) { (name, process) throws(Errno) in
        let flags = OpenFlags(rawValue: flags.low)
        let pointer = UserPointer<NamedQueues.Attributes>(attributes)
        let wanted = pointer.isNull ? nil : try pointer.load()
        let descriptor = try NamedQueues.open(name, flags, mode: mode.low, wanted, process)
        return Int(descriptor.rawValue)
    }
}

/// mq_unlink(2)
func sysRemoveQueue(_ name: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    withQueueName(name) { (name, process) throws(Errno) in
        try NamedQueues.unlink(name, process)
        return 0
    }
}

/// mq_timedsend(2)
func sysSendTimed(
    _ descriptor: UInt,
    _ text: UInt,
    _ count: UInt,
    _ priority: UInt,
    _ timeout: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let deadline = try deadline(timeout)
        guard priority.low < NamedQueues.priorities else { throw .invalidArgument }
        try NamedQueues.send(
            FileDescriptor(descriptor),
            UserBuffer(address: text, count: count.signed),
            priority.low,
            until: deadline,
            thread.process
        )
        return 0
    }
}

/// mq_timedreceive(2)
func sysReceiveTimed(
    _ descriptor: UInt,
    _ buffer: UInt,
    _ count: UInt,
    _ priority: UInt,
    _ timeout: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try NamedQueues.receive(
            FileDescriptor(descriptor),
            UserBuffer(address: buffer, count: count.signed),
            priority: priority,
            until: try deadline(timeout),
            thread.process
        )
    }
}

/// mq_notify(2)
func sysNotifyOfMessages(_ descriptor: UInt, _ event: UInt, _: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        guard event != 0 else {
            try NamedQueues.stopNotifying(FileDescriptor(descriptor), thread.process)
            return 0
        }
        let event = try UserPointer<SignalEvent>(event).load()
        var signal: Signal?
        switch event.notify {
        case SignalEvent.none: break
        case SignalEvent.signal:
            guard event.signal >= 0, event.signal <= 64 else { throw .invalidArgument }
            signal = Signal(number: Int(event.signal))
        // The C library's thread is told over a netlink socket, of which there are none.
        case SignalEvent.thread: throw .badDescriptor
        default: throw .invalidArgument
        }
        try NamedQueues.notify(
            FileDescriptor(descriptor),
            signal: signal,
            value: event.value,
            thread.process
        )
        return 0
    }
}

/// mq_getsetattr(2)
func sysQueueAttributes(_ descriptor: UInt, _ new: UInt, _ old: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let pointer = UserPointer<NamedQueues.Attributes>(new)
        let flags = pointer.isNull ? nil : try pointer.load().flags
        let before = try NamedQueues.attributes(
            FileDescriptor(descriptor),
            setting: flags,
            thread.process
        )
        if old != 0 { try UserPointer<NamedQueues.Attributes>(old).store(before) }
        return 0
    }
}

/// POSIX message queues: mq_overview(7).
let namedQueueRows: InlineArray<_, Row> = [
    Row(
        240,
        "mq_open",
        sysOpenQueue,
        .full,
        .string,
        .openFlags,
        .mode,
        .address,
        result: .descriptor
    ),
    Row(241, "mq_unlink", sysRemoveQueue, .full, .string),
    Row(
        242,
        "mq_timedsend",
        sysSendTimed,
        .full,
        .descriptor,
        .input,
        .size,
        .unsigned,
        .time,
        restart: .byAction
    ),
    Row(
        243,
        "mq_timedreceive",
        sysReceiveTimed,
        .full,
        .descriptor,
        .output,
        .size,
        .integerResult,
        .time,
        restart: .byAction
    ),
    Row(
        244,
        "mq_notify",
        sysNotifyOfMessages,
        .partial,
        .descriptor,
        .address,
        note: "no SIGEV_THREAD, which needs a netlink socket"
    ),
    Row(245, "mq_getsetattr", sysQueueAttributes, .full, .descriptor, .address, .address),
]
