import Kernel
import LinuxABI
import Platform

/// Lets a frame handler's body throw, as `answer` does for the others.
@inline(__always)
func answerFrame(
    _ frame: UnsafeMutablePointer<trap_frame>,
    _ body: (Thread, UnsafeMutablePointer<trap_frame>) throws(Errno) -> Int
) -> Int {
    do throws(Errno) { return try body(Thread.current, frame) } catch {
        return -Int(error.rawValue)
    }
}

/// clone(2)
func sysClone(_ frame: UnsafeMutablePointer<trap_frame>) -> Int {
    answerFrame(frame) { (_, frame) throws(Errno) in
        let registers = frame.pointee
        let flags = CloneFlags(
            rawValue: registers.rdi & ~CloneFlags.exitSignalMask & 0xffff_ffff
        )
        // One place for two answers.
        guard !flags.isSuperset(of: [.processDescriptor, .storeInParent]) else {
            throw .invalidArgument
        }
        let request = CloneRequest(
            flags: flags,
            exitSignal: Signal(number: Int(registers.rdi & CloneFlags.exitSignalMask)),
            stack: UInt(registers.rsi),
            parentThreadID: UInt(registers.rdx),
            processDescriptor: UInt(registers.rdx),
            childThreadID: UInt(registers.r10),
            threadPointer: UInt(registers.r8)
        )
        return Int(try Thread.clone(request, frame: frame))
    }
}

/// clone3(2)
func sysClone3(_ frame: UnsafeMutablePointer<trap_frame>) -> Int {
    answerFrame(frame) { (_, frame) throws(Errno) in
        let size = Int(truncatingIfNeeded: frame.pointee.rsi)
        let arguments = try cloneArguments(UInt(frame.pointee.rdi), size)
        let flags = CloneFlags(rawValue: arguments.flags)
        // Neither a cgroup nor a choice of numbers.
        guard arguments.setThreadIDCount == 0, arguments.exitSignal <= Signal.highest,
            arguments.exitSignal == 0 || !flags.contains(.thread),
            flags.isDisjoint(with: [.detached, CloneFlags(rawValue: 0xff)])
        else { throw .invalidArgument }
        guard (arguments.stack == 0) == (arguments.stackSize == 0) else { throw .invalidArgument }
        let request = CloneRequest(
            flags: flags,
            exitSignal: Signal(number: Int(arguments.exitSignal)),
            stack: UInt(arguments.stack &+ arguments.stackSize),
            parentThreadID: UInt(arguments.parentThreadID),
            processDescriptor: UInt(arguments.processDescriptor),
            childThreadID: UInt(arguments.childThreadID),
            threadPointer: UInt(arguments.threadPointer)
        )
        return Int(try Thread.clone(request, frame: frame))
    }
}

/// fork(2)
func sysFork(_ frame: UnsafeMutablePointer<trap_frame>) -> Int { makeChild(frame, []) }

/// vfork(2)
func sysVfork(_ frame: UnsafeMutablePointer<trap_frame>) -> Int {
    makeChild(frame, [.addressSpace, .waitForExecute])
}

private func makeChild(_ frame: UnsafeMutablePointer<trap_frame>, _ flags: CloneFlags) -> Int {
    answerFrame(frame) { (_, frame) throws(Errno) in
        let request = CloneRequest(
            flags: flags,
            exitSignal: .child,
            stack: 0,
            parentThreadID: 0,
            childThreadID: 0,
            threadPointer: 0
        )
        return Int(try Thread.clone(request, frame: frame))
    }
}

/// Reads a `struct clone_args` of any version; fields that this kernel does not know must be zero.
private func cloneArguments(_ address: UInt, _ size: Int) throws(Errno) -> CloneArguments {
    guard size <= 4096 else { throw .argumentListTooLong }
    guard size >= CloneArguments.minimumSize else { throw .invalidArgument }
    var arguments = CloneArguments()
    let known = min(size, MemoryLayout<CloneArguments>.size)
    try withUnsafeMutableBytes(of: &arguments) { (bytes) throws(Errno) in
        try UserMemory.read(UnsafeMutableRawBufferPointer(rebasing: bytes[..<known]), at: address)
    }
    for offset in stride(from: known, to: size, by: 1) {
        let byte = try UserPointer<UInt8>(address &+ UInt(offset)).load()
        guard byte == 0 else { throw .argumentListTooLong }
    }
    return arguments
}

/// exit(2)
func sysExit(_ status: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Thread.exitCurrent(UInt8(truncatingIfNeeded: status))
}

/// exit_group(2)
func sysExitGroup(_ status: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Process.exitCurrent(.exited(UInt8(truncatingIfNeeded: status)))
}

/// rseq(2)
func sysRestartableSequence(
    _ address: UInt,
    _ length: UInt,
    _ flags: UInt,
    _ signature: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try thread.restartableSequence.register(
            address,
            length: length.low,
            flags: flags.low,
            signature: signature.low
        )
        return 0
    }
}

/// gettid(2)
func sysThreadID(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Int(Thread.current.id)
}

/// set_tid_address(2)
func sysSetThreadIDAddress(_ address: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Thread.current.clearOnExit = address
    return Int(Thread.current.id)
}

/// set_robust_list(2)
func sysSetRobustList(_ head: UInt, _ size: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        guard size == 24 else { throw .invalidArgument }
        thread.robustList = head
        return 0
    }
}

/// get_robust_list(2)
func sysGetRobustList(_ id: UInt, _ head: UInt, _ size: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let target = id.int == 0 ? thread : ThreadTable.thread(id.int)
        guard let target else { throw .noSuchProcess }
        try UserPointer<UInt>(size).store(24)
        try UserPointer<UInt>(head).store(target.robustList)
        return 0
    }
}

/// sched_yield(2)
func sysYield(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Scheduler.yield()
    return 0
}

/// arch_prctl(2)
func sysArchitectureControl(
    _ code: UInt,
    _ address: UInt,
    _: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { () throws(Errno) in
        switch code.low {
        case 0x1002:
            guard address < 1 << 47 else { throw .notPermitted }
            thread_pointer_write(UInt64(address))
            return 0
        case 0x1003:
            try UserPointer<UInt64>(address).store(thread_pointer_read())
            return 0
        // ARCH_SET_GS, ARCH_GET_GS: %gs is the kernel's. ARCH_SET_CPUID: the processor's faulting
        // is not offered.
        case 0x1011: return 1
        case 0x1012:
            if address == 0 { throw .noSuchDevice }
            return 0
        default: throw .invalidArgument
        }
    }
}

/// membarrier(2): with one processor every other thread has passed a barrier when it runs.
func sysMemoryBarrier(_ command: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        guard flags.low == 0 else { throw .invalidArgument }
        // GLOBAL, the expedited commands and their registrations, SYNC_CORE's among them.
        let known: UInt32 = 0x7f
        let command = command.low
        if command == 0 { return Int(known) }
        guard command.nonzeroBitCount == 1, command & known != 0 else { throw .invalidArgument }
        // Each command's registration is the next bit.
        let (registrations, needRegistration): (UInt32, UInt32) = (0x50, 0x28)
        if command & registrations != 0 { thread.process.attributes.barriers |= command }
        if command & needRegistration != 0 {
            guard thread.process.attributes.barriers & command << 1 != 0 else {
                throw .notPermitted
            }
        }
        return 0
    }
}

/// restart_syscall(2)
func sysRestart(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in try Sleep.resume() }
}

private let noNamespaces: StaticString =
    "EINVAL for namespaces, a thread's pidfd, a cgroup, and for signal handlers that processes share"

let threadRows: InlineArray<_, Row> = [
    Row(
        56,
        "clone",
        frame: sysClone,
        .partial,
        .cloneFlags,
        .address,
        .address,
        .address,
        .address,
        note: noNamespaces
    ),
    Row(
        435,
        "clone3",
        frame: sysClone3,
        .partial,
        .address,
        .size,
        note: noNamespaces
    ),
    Row(57, "fork", frame: sysFork, .full, result: .processID),
    Row(58, "vfork", frame: sysVfork, .full, result: .processID),
    Row(60, "exit", sysExit, .full, .integer, result: .none),
    Row(231, "exit_group", sysExitGroup, .full, .integer, result: .none),
    Row(186, "gettid", sysThreadID),
    Row(218, "set_tid_address", sysSetThreadIDAddress, .full, .address),
    Row(273, "set_robust_list", sysSetRobustList, .full, .address, .size),
    Row(274, "get_robust_list", sysGetRobustList, .full, .processID, .address, .address),
    Row(24, "sched_yield", sysYield),
    Row(
        158,
        "arch_prctl",
        sysArchitectureControl,
        .partial,
        .hexadecimal,
        .address,
        note: "EINVAL for %gs, which is the kernel's, and for shadow stacks"
    ),
    Row(
        324,
        "membarrier",
        sysMemoryBarrier,
        .partial,
        .integer,
        .hexadecimal,
        note: "not for restartable sequences, no MEMBARRIER_CMD_GET_REGISTRATIONS"
    ),
    Row(219, "restart_syscall", sysRestart, restart: .remaining),
    Row(334, "rseq", sysRestartableSequence, .full, .address, .size, .hexadecimal, .hexadecimal),
]
