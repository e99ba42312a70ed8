import Kernel
import LinuxABI
import Platform

/// A signal's number from a register; zero, which only checks, is `nil`.
func signalOrNone(_ register: UInt) throws(Errno) -> Signal? {
    if register.int == 0 { return nil }
    return try signal(register)
}

private func signal(_ register: UInt) throws(Errno) -> Signal {
    guard let signal = Signal(number: Int(register.int)) else { throw .invalidArgument }
    return signal
}

private func checkSetSize(_ size: UInt) throws(Errno) {
    guard size == UInt(SignalSet.size) else { throw .invalidArgument }
}

/// rt_sigaction(2)
func sysSignalAction(
    _ number: UInt,
    _ new: UInt,
    _ old: UInt,
    _ size: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try checkSetSize(size)
        let signal = try signal(number)
        let process = thread.process!
        var before = process.signals[signal]
        if new != 0 {
            let action = try UserPointer<SignalAction>(new).load()
            before = try process.setAction(action, for: signal)
        }
        if old != 0 { try UserPointer<SignalAction>(old).store(before) }
        return 0
    }
}

/// rt_sigprocmask(2)
func sysSignalMask(
    _ operation: UInt,
    _ new: UInt,
    _ old: UInt,
    _ size: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try checkSetSize(size)
        let before = thread.signals.mask
        if new != 0 {
            let set = try UserPointer<SignalSet>(new).load()
            let mask: SignalSet
            switch operation.int {
            case 0: mask = before.union(set)
            case 1: mask = before.subtracting(set)
            case 2: mask = set
            default: throw .invalidArgument
            }
            thread.signals.setMask(mask, of: thread)
        }
        if old != 0 { try UserPointer<SignalSet>(old).store(before) }
        return 0
    }
}

/// rt_sigreturn(2)
func sysSignalReturn(_ frame: UnsafeMutablePointer<trap_frame>) -> Int {
    Signals.returnFromHandler(frame)
    return Int(truncatingIfNeeded: frame.pointee.rax)
}

/// rt_sigpending(2)
func sysSignalPending(_ set: UInt, _ size: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        guard size <= UInt(SignalSet.size) else { throw .invalidArgument }
        var pending = Signals.pending(for: thread)
        try UserMemory.write(&pending, count: Int(size), at: set)
        return 0
    }
}

/// rt_sigsuspend(2)
func sysSignalSuspend(_ set: UInt, _ size: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        try checkSetSize(size)
        try Signals.suspend(with: try UserPointer<SignalSet>(set).load())
    }
}

/// pause(2)
func sysPause(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in try Signals.pause() }
}

/// rt_sigtimedwait(2)
func sysSignalTimedWait(
    _ set: UInt,
    _ information: UInt,
    _ timeout: UInt,
    _ size: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { () throws(Errno) in
        try checkSetSize(size)
        let awaited = try UserPointer<SignalSet>(set).load()
        var deadline = Nanoseconds.never
        if timeout != 0 {
            guard let length = try UserPointer<TimeSpecification>(timeout).load().total else {
                throw .invalidArgument
            }
            deadline = Clock.deadline(after: length)
        }
        let taken = try Signals.wait(for: awaited, until: deadline)
        if information != 0 { try store(taken, at: information) }
        return Int(taken.signal)
    }
}

/// Writes a whole `siginfo_t`.
func store(_ information: SignalInformation, at address: UInt) throws(Errno) {
    let kept = MemoryLayout<SignalInformation>.size
    try UserPointer<SignalInformation>(address).store(information)
    try UserMemory.zero(
        at: address &+ UInt(kept),
        count: SignalInformation.fullSize - kept
    )
}

/// sigaltstack(2)
func sysSignalStack(_ frame: UnsafeMutablePointer<trap_frame>) -> Int {
    answerFrame(frame) { (thread, frame) throws(Errno) in
        let (new, old) = (UInt(frame.pointee.rdi), UInt(frame.pointee.rsi))
        let stackPointer = frame.pointee.rsp
        let before = Signals.alternateStack(of: thread, stackPointer: stackPointer)
        if new != 0 {
            try Signals.setAlternateStack(
                try UserPointer<SignalStack>(new).load(),
                of: thread,
                stackPointer: stackPointer
            )
        }
        if old != 0 { try UserPointer<SignalStack>(old).store(before) }
        return 0
    }
}

/// kill(2)
func sysKill(_ id: UInt, _ number: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        try Signals.kill(id.int, try signalOrNone(number))
        return 0
    }
}

/// tkill(2)
func sysThreadKill(_ id: UInt, _ number: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        guard id.int > 0 else { throw .invalidArgument }
        try Signals.killThread(id.int, of: 0, try signalOrNone(number))
        return 0
    }
}

/// tgkill(2)
func sysThreadGroupKill(
    _ process: UInt,
    _ id: UInt,
    _ number: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { () throws(Errno) in
        guard id.int > 0, process.int > 0 else { throw .invalidArgument }
        try Signals.killThread(id.int, of: process.int, try signalOrNone(number))
        return 0
    }
}

/// Reads the information that a program sends along. The signal's number is the argument's.
private func information(_ address: UInt, _ signal: Signal?) throws(Errno) -> SignalInformation {
    var information = try UserPointer<SignalInformation>(address).load()
    information.signal = signal?.number ?? 0
    return information
}

/// rt_sigqueueinfo(2)
func sysSignalQueue(_ id: UInt, _ number: UInt, _ data: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        let signal = try signalOrNone(number)
        try Signals.queue(signal, try information(data, signal), toProcess: id.int)
        return 0
    }
}

/// rt_tgsigqueueinfo(2)
func sysThreadSignalQueue(
    _ process: UInt,
    _ id: UInt,
    _ number: UInt,
    _ data: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard id.int > 0, process.int > 0 else { throw .invalidArgument }
        let signal = try signalOrNone(number)
        let information = try information(data, signal)
        if let target = ThreadTable.thread(id.int) {
            try Signals.checkOrigin(information, target.process)
        }
        try Signals.queue(signal, information, toThread: id.int, of: process.int)
        return 0
    }
}

/// signalfd4(2)
func sysSignalFile4(
    _ descriptor: UInt,
    _ mask: UInt,
    _ size: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try checkSetSize(size)
        let flags = OpenFlags(rawValue: flags.low)
        guard flags.isSubset(of: [.nonBlocking, .closeOnExec]) else { throw .invalidArgument }
        let mask = try UserPointer<SignalSet>(mask).load()
        let descriptors = thread.process.descriptors!
        guard descriptor.int != -1 else {
            return Int(try descriptors.makeSignalFile(mask, flags).rawValue)
        }
        guard let file = try descriptors.file(FileDescriptor(descriptor)) as? SignalFile else {
            throw .invalidArgument
        }
        file.setMask(mask)
        return Int(descriptor.int)
    }
}

/// signalfd(2)
func sysSignalFile(
    _ descriptor: UInt,
    _ mask: UInt,
    _ size: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    sysSignalFile4(descriptor, mask, size, 0, 0, 0)
}

let signalRows: InlineArray<_, Row> = [
    Row(13, "rt_sigaction", sysSignalAction, .full, .signal, .signalAction, .address, .size),
    Row(14, "rt_sigprocmask", sysSignalMask, .full, .maskOperation, .signalSet, .address, .size),
    Row(15, "rt_sigreturn", frame: sysSignalReturn),
    Row(127, "rt_sigpending", sysSignalPending, .full, .address, .size),
    Row(
        130,
        "rt_sigsuspend",
        sysSignalSuspend,
        .full,
        .signalSet,
        .size,
        restart: .withoutHandler
    ),
    Row(34, "pause", sysPause, restart: .withoutHandler),
    Row(
        128,
        "rt_sigtimedwait",
        sysSignalTimedWait,
        .full,
        .signalSet,
        .address,
        .time,
        .size,
        result: .signal
    ),
    Row(131, "sigaltstack", frame: sysSignalStack, .full, .address, .address),
    Row(
        282,
        "signalfd",
        sysSignalFile,
        .full,
        .descriptor,
        .signalSet,
        .size,
        result: .descriptor
    ),
    Row(
        289,
        "signalfd4",
        sysSignalFile4,
        .full,
        .descriptor,
        .signalSet,
        .size,
        .openFlags,
        result: .descriptor
    ),
    Row(62, "kill", sysKill, .full, .processID, .signal),
    Row(200, "tkill", sysThreadKill, .full, .processID, .signal),
    Row(234, "tgkill", sysThreadGroupKill, .full, .processID, .processID, .signal),
    Row(129, "rt_sigqueueinfo", sysSignalQueue, .full, .processID, .signal, .address),
    Row(
        297,
        "rt_tgsigqueueinfo",
        sysThreadSignalQueue,
        .full,
        .processID,
        .processID,
        .signal,
        .address
    ),
]
