import Kernel
import LinuxABI
import Platform

/// getpid(2)
func sysProcessID(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Int(Process.current.id)
}

/// getppid(2)
@_optimize(speed)
func sysParentID(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Int(Process.current.parent?.id ?? Process.kernelID)
}

/// getpgrp(2)
func sysOwnGroupID(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Int(Process.current.groupID)
}

/// getpgid(2)
func sysGroupID(_ id: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in Int(try thread.process.named(id.int).groupID) }
}

/// getsid(2)
func sysSessionID(_ id: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in Int(try thread.process.named(id.int).sessionID) }
}

/// setpgid(2)
func sysSetGroupID(_ id: UInt, _ group: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.setGroup(of: id.int, to: group.int)
        return 0
    }
}

/// setsid(2)
func sysStartSession(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in Int(try thread.process.startSession()) }
}

/// wait4(2)
func sysWait(
    _ id: UInt,
    _ status: UInt,
    _ options: UInt,
    _ usage: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let asked = WaitOptions(rawValue: options.low)
        let known: WaitOptions = [
            .doesNotWait, .stopped, .continued, .ownChildren, .everyKind, .clones,
        ]
        guard asked.subtracting(known).isEmpty else { throw .invalidArgument }
        guard id.int != .min else { throw .noSuchProcess }
        let selection: ChildSelection =
            switch id.int {
            case -1: .any
            case 0: .group(thread.process.groupID)
            case ..<0: .group(-id.int)
            default: .process(id.int)
            }
        guard let news = try thread.process.waitForChild(selection, asked.union(.ended)) else {
            return 0
        }
        if status != 0 { try UserPointer<Int32>(status).store(news.status) }
        if usage != 0 { try UserPointer<ResourceUsage>(usage).store(news.usage) }
        return Int(news.process)
    }
}

/// waitid(2)
func sysWaitID(
    _ type: UInt,
    _ id: UInt,
    _ information: UInt,
    _ options: UInt,
    _ usage: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let asked = WaitOptions(rawValue: options.low)
        let kinds: WaitOptions = [.ended, .stopped, .continued]
        let known: WaitOptions = [
            .doesNotWait, .keepsNews, .ownChildren, .everyKind, .clones,
        ]
        guard asked.subtracting(known.union(kinds)).isEmpty, !asked.isDisjoint(with: kinds) else {
            throw .invalidArgument
        }
        let (selection, isNonBlocking) = try childSelection(type.low, id, thread.process)
        let news = try thread.process.waitForChild(
            selection,
            isNonBlocking ? asked.union(.doesNotWait) : asked
        )
        if news == nil, isNonBlocking, !asked.contains(.doesNotWait) { throw .wouldBlock }
        if usage != 0, let news { try UserPointer<ResourceUsage>(usage).store(news.usage) }
        guard information != 0 else { return 0 }
        // What has no news has no number and no signal: waitid(2).
        let told = news?.information(.child) ?? SignalInformation(signal: 0, code: 0)
        try UserPointer<SignalInformation>(information).store(told)
        return 0
    }
}

/// P_ALL, P_PID, P_PGID and P_PIDFD; and whether the descriptor says not to wait.
private func childSelection(_ type: UInt32, _ id: UInt, _ process: Process) throws(Errno)
    -> (ChildSelection, isNonBlocking: Bool)
{
    let number = id.int
    switch type {
    case 0: return (.any, false)
    case 1:
        guard number > 0 else { throw .invalidArgument }
        return (.process(number), false)
    case 2:
        guard number >= 0 else { throw .invalidArgument }
        return (.group(number == 0 ? process.groupID : number), false)
    case 3:
        guard number >= 0 else { throw .invalidArgument }
        let file = try process.descriptors.processFile(FileDescriptor(id))
        guard let target = try? file.target() else { throw .noChild }
        return (.process(target.id), file.isNonBlocking)
    default: throw .invalidArgument
    }
}

// MARK: Limits and use

private func resource(_ register: UInt) throws(Errno) -> ResourceLimits.Resource {
    guard let resource = ResourceLimits.Resource(rawValue: Int(register.low)) else {
        throw .invalidArgument
    }
    return resource
}

/// getrlimit(2)
func sysGetLimit(_ which: UInt, _ limit: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysLimit(0, which, 0, limit, 0, 0)
}

/// setrlimit(2)
func sysSetLimit(_ which: UInt, _ limit: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    guard limit != 0 else { return -Int(Errno.badAddress.rawValue) }
    return sysLimit(0, which, limit, 0, 0, 0)
}

/// prlimit64(2)
func sysLimit(_ id: UInt, _ which: UInt, _ new: UInt, _ old: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let resource = try resource(which)
        let process = try thread.process.named(id.int)
        let before = process.limits[resource]
        if new != 0 {
            try process.setLimit(try UserPointer<ResourceLimit>(new).load(), for: resource)
        }
        if old != 0 { try UserPointer<ResourceLimit>(old).store(before) }
        return 0
    }
}

/// getrusage(2)
func sysResourceUsage(_ who: UInt, _ usage: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        var record = ResourceUsage()
        switch who.int {
        case 0: record = thread.process.usage(ofThread: nil)
        case 1: record = thread.process.usage(ofThread: thread)
        case -1: record = thread.process.usageOfChildren
        default: throw .invalidArgument
        }
        try UserPointer<ResourceUsage>(usage).store(record)
        return 0
    }
}

/// times(2)
func sysTimes(_ times: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let tick = 10 * Nanoseconds.millisecond
        if times != 0 {
            var record = ProcessTimes()
            record.user = Int64(thread.process.processorTime / tick)
            record.childrenUser = Int64(thread.process.processorTimeOfChildren / tick)
            try UserPointer<ProcessTimes>(times).store(record)
        }
        return Int(now() / tick)
    }
}

// MARK: The system

/// uname(2)
func sysSystemName(_ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        try UserPointer<SystemNameRecord>(record).store(SystemName.record())
        return 0
    }
}

private func nameCall(
    _ name: UInt,
    _ length: UInt,
    _ set: (UnsafeRawBufferPointer) -> Void
) -> Int {
    answer { (thread) throws(Errno) in
        guard thread.process.credentials.effectiveUser == 0 else { throw .notPermitted }
        guard length.int >= 0, Int(length.int) <= SystemName.longest else {
            throw .invalidArgument
        }
        var bytes = InlineArray<64, UInt8>(repeating: 0)
        try withUnsafeMutableBytes(of: &bytes) { (bytes) throws(Errno) in
            let text = UnsafeMutableRawBufferPointer(rebasing: bytes[..<Int(length.int)])
            try UserMemory.read(text, at: name)
            set(UnsafeRawBufferPointer(text))
        }
        return 0
    }
}

/// sethostname(2)
func sysSetHostName(_ name: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    nameCall(name, length) { SystemName.setNode($0) }
}

/// setdomainname(2)
func sysSetDomainName(_ name: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    nameCall(name, length) { SystemName.setDomain($0) }
}

/// sysinfo(2)
func sysSystemInformation(_ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        var information = SystemInformation()
        information.uptime = Int64(now() / .second)
        information.totalMemory = UInt64(FrameAllocator.totalFrames) * UInt64(pageSize)
        information.freeMemory = UInt64(MemoryUse.freePages) * UInt64(pageSize)
        information.processes = UInt16(truncatingIfNeeded: ThreadTable.count)
        try UserPointer<SystemInformation>(record).store(information)
        return 0
    }
}

/// personality(2)
func sysPersonality(_ persona: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let before = thread.process.attributes.personality
        // PER_LINUX, with ADDR_NO_RANDOMIZE and the other flags kept for whoever asks.
        if persona.low != .max {
            guard persona.low & 0xff == 0 else { throw .invalidArgument }
            thread.process.attributes.personality = persona.low
        }
        return Int(before)
    }
}

let processRows: InlineArray<_, Row> = [
    Row(39, "getpid", sysProcessID, result: .processID),
    Row(110, "getppid", sysParentID, result: .processID),
    Row(111, "getpgrp", sysOwnGroupID, result: .processID),
    Row(121, "getpgid", sysGroupID, .full, .processID, result: .processID),
    Row(124, "getsid", sysSessionID, .full, .processID, result: .processID),
    Row(109, "setpgid", sysSetGroupID, .full, .processID, .processID),
    Row(112, "setsid", sysStartSession, result: .processID),
    Row(
        61,
        "wait4",
        sysWait,
        .full,
        .processID,
        .address,
        .waitOptions,
        .address,
        result: .processID,
        restart: .byAction
    ),
    Row(
        247,
        "waitid",
        sysWaitID,
        .full,
        .integer,
        .processID,
        .address,
        .waitOptions,
        .address,
        restart: .byAction
    ),
    Row(97, "getrlimit", sysGetLimit, .full, .resource, .address),
    Row(160, "setrlimit", sysSetLimit, .full, .resource, .address),
    Row(302, "prlimit64", sysLimit, .full, .processID, .resource, .address, .address),
    Row(
        98,
        "getrusage",
        sysResourceUsage,
        .partial,
        .integer,
        .address,
        note:
            "the kernel's time counts as the program's; faults that the host resolves are not counted"
    ),
    Row(
        100,
        "times",
        sysTimes,
        .partial,
        .address,
        note: "the kernel's time counts as the program's"
    ),
    Row(63, "uname", sysSystemName, .full, .address),
    Row(170, "sethostname", sysSetHostName, .full, .string, .size),
    Row(171, "setdomainname", sysSetDomainName, .full, .string, .size),
    Row(99, "sysinfo", sysSystemInformation, .full, .address),
    Row(
        135,
        "personality",
        sysPersonality,
        .partial,
        .hexadecimal,
        note: "flags are kept and told, and have no effect; PER_LINUX alone"
    ),
]
