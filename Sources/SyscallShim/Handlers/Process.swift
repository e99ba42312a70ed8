import Kernel
import LinuxABI
import Platform

/// getpid(2)
func sysProcessID(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    Int(Process.current.id)
}

/// getppid(2)
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

/// WNOHANG, WUNTRACED, WEXITED, WCONTINUED, WNOWAIT, and Linux's own __W flags.
private let waitOptions: UInt32 = 0xe100_000f

/// wait4(2): there is no child to wait for.
func sysWait(_: UInt, _: UInt, _ options: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (_) throws(Errno) in
        guard options.low & ~(waitOptions & ~0x0100_0004) == 0 else { throw .invalidArgument }
        throw .noChild
    }
}

/// waitid(2)
func sysWaitID(_ type: UInt, _: UInt, _: UInt, _ options: UInt, _: UInt, _: UInt) -> Int {
    answer { (_) throws(Errno) in
        let asked = options.low
        guard asked & ~waitOptions == 0, asked & 0xe != 0, type.low <= 3 else {
            throw .invalidArgument
        }
        throw .noChild
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
        case -1: break
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
            try UserPointer<ProcessTimes>(times).store(record)
        }
        return Int(now() / tick)
    }
}

// MARK: The system

/// uname(2)
func sysSystemName(_ record: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (_) throws(Errno) in
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
    answer { (_) throws(Errno) in
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
    Row(61, "wait4", sysWait, .full, .processID, .address, .waitOptions, .address),
    Row(247, "waitid", sysWaitID, .full, .integer, .processID, .address, .waitOptions, .address),
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
