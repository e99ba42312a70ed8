import Kernel
import LinuxABI

/// The end of a wait of `milliseconds`, for ever when negative.
private func deadline(milliseconds: Int32) -> Nanoseconds {
    guard milliseconds >= 0 else { return .never }
    guard milliseconds > 0 else { return 0 }
    return now() &+ UInt64(milliseconds) * .millisecond
}

/// The end of a wait whose length is at `address`; for ever when it is null.
func timeoutEnd(_ address: UInt) throws(Errno) -> Nanoseconds {
    guard address != 0 else { return .never }
    guard let length = try UserPointer<TimeSpecification>(address).load().total else {
        throw .invalidArgument
    }
    return length == 0 ? 0 : Clock.deadline(after: length)
}

/// Runs `body` with the signal mask at an address, if there is one.
private func withMask(
    _ address: UInt,
    _ size: UInt,
    _ thread: Thread,
    _ body: () throws(Errno) -> Int
) throws(Errno) -> Int {
    guard address != 0 else { return try body() }
    guard size == 8 else { throw .invalidArgument }
    let mask = SignalSet(rawValue: try UserPointer<UInt64>(address).load())
    thread.signals.setTemporaryMask(mask, of: thread)
    do throws(Errno) {
        let result = try body()
        thread.signals.endTemporaryMask(of: thread)
        return result
    } catch {
        if error != .interrupted { thread.signals.endTemporaryMask(of: thread) }
        throw error
    }
}

private func poll(_ list: UInt, _ count: UInt, _ thread: Thread, until deadline: Nanoseconds)
    throws(Errno) -> Int
{
    let limit = thread.process.limits[.openFiles].current
    guard UInt64(count) <= min(limit, UInt64(DescriptorTable.largest)) else {
        throw .invalidArgument
    }
    let stride = MemoryLayout<Poll.Entry>.stride
    let memory = try KernelBuffer(Int(count) * stride)
    try UserMemory.read(memory.bytes, at: list)
    let entries = UnsafeMutableBufferPointer(
        start: memory.bytes.baseAddress!.assumingMemoryBound(to: Poll.Entry.self),
        count: Int(count)
    )
    let ready = try Poll.wait(entries, in: thread.process.descriptors, until: deadline)
    try UserMemory.write(UnsafeRawBufferPointer(memory.bytes), at: list)
    return ready
}

/// poll(2)
func sysPoll(_ list: UInt, _ count: UInt, _ timeout: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try poll(list, count, thread, until: deadline(milliseconds: timeout.int))
    }
}

/// Writes the time that is left, as ppoll(2) and select(2) do on Linux.
func storeRemaining(_ address: UInt, _ deadline: Nanoseconds, isSpecification: Bool) {
    guard address != 0, deadline != .never else { return }
    let time = deadline == 0 ? 0 : now()
    let left = deadline > time ? deadline - time : 0
    // A timeout in memory that cannot be written is no error: the call was made.
    if isSpecification {
        try? UserPointer<TimeSpecification>(address).store(TimeSpecification(nanoseconds: left))
    } else {
        try? UserPointer<TimeValue>(address).store(TimeValue(nanoseconds: left))
    }
}

/// ppoll(2)
func sysPollWithMask(
    _ list: UInt,
    _ count: UInt,
    _ timeout: UInt,
    _ mask: UInt,
    _ maskSize: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let end = try timeoutEnd(timeout)
        defer { storeRemaining(timeout, end, isSpecification: true) }
        return try withMask(mask, maskSize, thread) { () throws(Errno) in
            try poll(list, count, thread, until: end)
        }
    }
}

/// select(2)
func sysSelect(
    _ count: UInt,
    _ reading: UInt,
    _ writing: UInt,
    _ exceptional: UInt,
    _ timeout: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        var end = Nanoseconds.never
        if timeout != 0 {
            let value = try UserPointer<TimeValue>(timeout).load()
            guard value.seconds >= 0, value.microseconds >= 0 else { throw .invalidArgument }
            let extra = value.microseconds / 1_000_000
            let (seconds, overflow) = value.seconds.addingReportingOverflow(extra)
            let length =
                TimeSpecification(
                    seconds: overflow ? .max : seconds,
                    nanoseconds: value.microseconds % 1_000_000 * 1000
                ).total ?? 0
            end = length == 0 ? 0 : Clock.deadline(after: length)
        }
        defer { storeRemaining(timeout, end, isSpecification: false) }
        return try Poll.select(
            Int(count.int),
            reading: reading,
            writing: writing,
            exceptional: exceptional,
            in: thread.process.descriptors,
            until: end
        )
    }
}

/// pselect6(2): the last argument points at the mask and its size.
func sysSelectWithMask(
    _ count: UInt,
    _ reading: UInt,
    _ writing: UInt,
    _ exceptional: UInt,
    _ timeout: UInt,
    _ maskPair: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let end = try timeoutEnd(timeout)
        var mask: UInt = 0
        var size: UInt = 8
        if maskPair != 0 {
            mask = try UserPointer<UInt>(maskPair).load()
            size = try UserPointer<UInt>(maskPair)[1].load()
        }
        defer { storeRemaining(timeout, end, isSpecification: true) }
        return try withMask(mask, size, thread) { () throws(Errno) in
            try Poll.select(
                Int(count.int),
                reading: reading,
                writing: writing,
                exceptional: exceptional,
                in: thread.process.descriptors,
                until: end
            )
        }
    }
}

// MARK: epoll

private func makeEpoll(_ flags: OpenFlags) -> Int {
    answer { (thread) throws(Errno) in
        guard flags.isSubset(of: .closeOnExec) else { throw .invalidArgument }
        let descriptor = try thread.process.descriptors.insert(
            EpollFile(),
            closesOnExec: flags.contains(.closeOnExec)
        )
        return Int(descriptor.rawValue)
    }
}

/// epoll_create1(2)
func sysEpollCreate1(_ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    makeEpoll(OpenFlags(rawValue: flags.low))
}

/// epoll_create(2): the size is only a hint, but a positive one.
func sysEpollCreate(_ size: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    guard size.int > 0 else { return -Int(Errno.invalidArgument.rawValue) }
    return makeEpoll([])
}

private func epoll(_ descriptor: UInt, _ thread: Thread) throws(Errno) -> EpollFile {
    guard let epoll = try thread.process.descriptors.file(FileDescriptor(descriptor)) as? EpollFile
    else { throw .invalidArgument }
    return epoll
}

/// epoll_ctl(2)
func sysEpollControl(
    _ descriptor: UInt,
    _ operation: UInt,
    _ target: UInt,
    _ event: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        var record = Epoll.Event(events: 0, data: 0)
        if operation.low != Epoll.Operation.delete.rawValue {
            record.events = try UserPointer<UInt32>(event).load()
            record.data = UInt64(try UserPointer<UInt32>(event &+ 4).load())
            record.data |= UInt64(try UserPointer<UInt32>(event &+ 8).load()) << 32
        }
        let table = thread.process.descriptors!
        _ = try table.lend(FileDescriptor(descriptor))
        let file = try table.file(FileDescriptor(target))
        let epoll = try epoll(descriptor, thread)
        guard let operation = Epoll.Operation(rawValue: operation.low) else {
            throw .invalidArgument
        }
        try epoll.change(operation, FileDescriptor(target), file, record)
        return 0
    }
}

private func waitForEvents(
    _ descriptor: UInt,
    _ events: UInt,
    _ limit: UInt,
    _ thread: Thread,
    until deadline: Nanoseconds
) throws(Errno) -> Int {
    // EP_MAX_EVENTS
    guard limit.int > 0, Int(limit.int) <= Int(Int32.max) / Epoll.Event.size else {
        throw .invalidArgument
    }
    let epoll = try epoll(descriptor, thread)
    var index: UInt = 0
    return try epoll.wait(Int(limit.int), until: deadline) { (event) throws(Errno) in
        var record = (
            event.events, UInt32(truncatingIfNeeded: event.data), UInt32(event.data >> 32)
        )
        try UserMemory.write(
            &record,
            count: Epoll.Event.size,
            at: events &+ index &* UInt(Epoll.Event.size)
        )
        index += 1
    }
}

/// epoll_wait(2)
func sysEpollWait(
    _ descriptor: UInt,
    _ events: UInt,
    _ limit: UInt,
    _ timeout: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try waitForEvents(
            descriptor,
            events,
            limit,
            thread,
            until: deadline(milliseconds: timeout.int)
        )
    }
}

/// epoll_pwait(2)
func sysEpollWaitWithMask(
    _ descriptor: UInt,
    _ events: UInt,
    _ limit: UInt,
    _ timeout: UInt,
    _ mask: UInt,
    _ maskSize: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try withMask(mask, maskSize, thread) { () throws(Errno) in
            try waitForEvents(
                descriptor,
                events,
                limit,
                thread,
                until: deadline(milliseconds: timeout.int)
            )
        }
    }
}

/// epoll_pwait2(2)
func sysEpollWaitWithTime(
    _ descriptor: UInt,
    _ events: UInt,
    _ limit: UInt,
    _ timeout: UInt,
    _ mask: UInt,
    _ maskSize: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let end = try timeoutEnd(timeout)
        return try withMask(mask, maskSize, thread) { () throws(Errno) in
            try waitForEvents(descriptor, events, limit, thread, until: end)
        }
    }
}

/// Waiting for files.
let filePollingRows: InlineArray<_, Row> = [
    Row(7, "poll", sysPoll, .full, .pollList, .unsigned, .integer, restart: .withoutHandler),
    Row(
        23,
        "select",
        sysSelect,
        .full,
        .integer,
        .address,
        .address,
        .address,
        .address,
        restart: .withoutHandler
    ),
    Row(213, "epoll_create", sysEpollCreate, .full, .integer, result: .descriptor),
    Row(
        232,
        "epoll_wait",
        sysEpollWait,
        .full,
        .descriptor,
        .epollEventsResult,
        .integer,
        .integer
    ),
    Row(
        233,
        "epoll_ctl",
        sysEpollControl,
        .full,
        .descriptor,
        .epollOperation,
        .descriptor,
        .epollEvent
    ),
    Row(
        270,
        "pselect6",
        sysSelectWithMask,
        .full,
        .integer,
        .address,
        .address,
        .address,
        .time,
        .address,
        restart: .withoutHandler
    ),
    Row(
        271,
        "ppoll",
        sysPollWithMask,
        .full,
        .pollList,
        .unsigned,
        .time,
        .signalSet,
        .size,
        restart: .withoutHandler
    ),
    Row(
        281,
        "epoll_pwait",
        sysEpollWaitWithMask,
        .full,
        .descriptor,
        .epollEventsResult,
        .integer,
        .integer,
        .signalSet,
        .size
    ),
    Row(291, "epoll_create1", sysEpollCreate1, .full, .openFlags, result: .descriptor),
    Row(
        441,
        "epoll_pwait2",
        sysEpollWaitWithTime,
        .full,
        .descriptor,
        .epollEventsResult,
        .integer,
        .time,
        .signalSet,
        .size
    ),
]
