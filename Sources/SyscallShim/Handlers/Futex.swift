import Kernel
import LinuxABI

/// futex(2)'s operation word.
private struct FutexCommand {
    let command: UInt32
    let isShared: Bool
    let usesRealtime: Bool

    init(_ word: UInt32) {
        command = word & ~(128 | 256)
        isShared = word & 128 == 0
        usesRealtime = word & 256 != 0
    }

    var isPlainWake: Bool { command == 1 && !usesRealtime }
    var isPlainWait: Bool { command == 0 && !usesRealtime }
}

/// futex(2)
func sysFutex(
    _ address: UInt,
    _ operation: UInt,
    _ value: UInt,
    _ timeout: UInt,
    _ second: UInt,
    _ third: UInt
) -> Int {
    answer { () throws(Errno) in
        let command = FutexCommand(operation.low)
        // What locks do all the time comes first.
        if command.isPlainWake {
            return try Futex.wake(
                address,
                limit: limit(value, atLeast: 1),
                isShared: command.isShared
            )
        }
        if command.isPlainWait, timeout == 0 {
            try Futex.wait(address, expected: value.low, isShared: command.isShared)
            return 0
        }
        return try run(command, address, value, timeout, second, third)
    }
}

/// Any command.
@inline(never)
@_optimize(speed)
private func run(
    _ command: FutexCommand,
    _ address: UInt,
    _ value: UInt,
    _ timeout: UInt,
    _ second: UInt,
    _ third: UInt
) throws(Errno) -> Int {
    if command.usesRealtime {
        // WAIT_BITSET, WAIT_REQUEUE_PI and LOCK_PI2 have a clock; FUTEX_WAIT waits for a length of time.
        guard [9, 11, 13].contains(command.command) else { throw .notImplemented }
    }
    switch command.command {
    case 1, 10:
        return try Futex.wake(
            address,
            limit: limit(value, atLeast: 1),
            bits: command.command == 10 ? third.low : Futex.anyBits,
            isShared: command.isShared
        )
    case 0, 6, 9, 11, 13:
        let deadline = try deadline(command, timeout)
        try wait(command, address, value.low, deadline, second, third.low, timeout != 0)
        return 0
    case 3, 4, 12:
        guard value.int >= 0, timeout.int >= 0 else { throw .invalidArgument }
        return try requeue(
            command,
            address,
            second,
            Int(value.int),
            Int(timeout.int),
            third.low
        )
    case 5:
        return try Futex.wakeAfterOperation(
            address,
            second,
            limit: limit(value, atLeast: 1),
            secondLimit: limit(timeout, atLeast: 0),
            operation: third.low,
            isShared: command.isShared
        )
    case 7:
        try Futex.unlock(address, isShared: command.isShared)
        return 0
    case 8:
        try Futex.lock(address, isTry: true, until: .never, isShared: command.isShared)
        return 0
    default: throw .notImplemented
    }
}

/// A number of waiters. Linux wakes one even for zero.
private func limit(_ register: UInt, atLeast least: Int32) -> Int {
    Int(max(register.int, least))
}

/// The monotonic time at which a wait ends. FUTEX_WAIT's timeout is a length, the others' a time.
@_optimize(speed)
private func deadline(_ command: FutexCommand, _ timeout: UInt) throws(Errno) -> Nanoseconds {
    guard timeout != 0 else { return .never }
    guard let time = try UserPointer<TimeSpecification>(timeout).load().total else {
        throw .invalidArgument
    }
    if command.command == 0 { return Clock.deadline(after: time) }
    let isRealtime = command.usesRealtime || command.command == 6
    return try Clock.deadline(at: time, on: isRealtime ? .realtime : .monotonic)
}

@_optimize(speed)
private func wait(
    _ command: FutexCommand,
    _ address: UInt,
    _ value: UInt32,
    _ deadline: Nanoseconds,
    _ second: UInt,
    _ third: UInt32,
    _ hasTimeout: Bool
) throws(Errno) {
    switch command.command {
    case 6, 13:
        try Futex.lock(address, isTry: false, until: deadline, isShared: command.isShared)
    case 11:
        try Futex.waitForRequeue(
            address,
            expected: value,
            bits: Futex.anyBits,
            until: deadline,
            second: second,
            isShared: command.isShared
        )
    default:
        let bits = command.command == 9 ? third : Futex.anyBits
        try Futex.waitOrGoOn(
            address,
            expected: value,
            bits: bits,
            until: deadline,
            isShared: command.isShared,
            hasTimeout: hasTimeout
        )
    }
}

private func requeue(
    _ command: FutexCommand,
    _ address: UInt,
    _ second: UInt,
    _ wake: Int,
    _ move: Int,
    _ expected: UInt32
) throws(Errno) -> Int {
    if command.command == 12 {
        return try Futex.requeueForOwnership(
            from: address,
            to: second,
            wake: wake,
            move: move,
            expected: expected,
            isShared: command.isShared
        )
    }
    return try Futex.requeue(
        from: address,
        to: second,
        wake: wake,
        move: move,
        expected: command.command == 4 ? expected : nil,
        isShared: command.isShared
    )
}

/// futex_waitv(2)
func sysFutexWaitOne(
    _ list: UInt,
    _ count: UInt,
    _ flags: UInt,
    _ timeout: UInt,
    _ clock: UInt,
    _: UInt
) -> Int {
    answer { () throws(Errno) in
        guard flags.low == 0, count.low > 0, count.low <= Futex.mostRequests, list != 0 else {
            throw .invalidArgument
        }
        var deadline = Nanoseconds.never
        if timeout != 0 {
            let clock = ClockID(rawValue: clock.int)
            guard clock == .realtime || clock == .monotonic else { throw .invalidArgument }
            guard let time = try UserPointer<TimeSpecification>(timeout).load().total else {
                throw .invalidArgument
            }
            deadline = try Clock.deadline(at: time, on: clock)
        }
        let count = Int(count.low)
        let memory = try KernelBuffer(count * MemoryLayout<Futex.Request>.stride)
        let requests = memory.bytes.bindMemory(to: Futex.Request.self)
        for index in 0..<count {
            requests[index] = try UserPointer<Futex.Request>(list)[index].load()
            guard requests[index].isValid else { throw .invalidArgument }
        }
        return try Futex.wait(forOneOf: UnsafeBufferPointer(requests), until: deadline)
    }
}

let futexRows: InlineArray<_, Row> = [
    Row(
        202,
        "futex",
        sysFutex,
        .partial,
        .address,
        .futexOperation,
        .unsigned,
        .time,
        .address,
        .unsigned,
        restart: .byAction,
        note: "shared futexes are known by their address"
    ),
    Row(
        449,
        "futex_waitv",
        sysFutexWaitOne,
        .partial,
        .address,
        .unsigned,
        .hexadecimal,
        .time,
        .clock,
        restart: .byAction,
        note: "no FUTEX2_NUMA and FUTEX2_MPOL, which are EINVAL"
    ),
]
