import Kernel
import LinuxABI
import Platform

/// prctl(2)
func sysProcessControl(
    _ option: UInt,
    _ second: UInt,
    _ third: UInt,
    _ fourth: UInt,
    _ fifth: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        let process = thread.process!
        let isPlain = third == 0 && fourth == 0 && fifth == 0
        switch option.int {
        case 1:
            guard second.int >= 0, second.int <= 64 else { throw .invalidArgument }
            process.attributes.parentDeathSignal = second.int
        case 2: try UserPointer<Int32>(second).store(process.attributes.parentDeathSignal)
        case 3: return process.attributes.isDumpable ? 1 : 0
        case 4:
            guard second <= 1 else { throw .invalidArgument }
            process.attributes.isDumpable = second == 1
        case 7: return process.attributes.keepsCapabilities ? 1 : 0
        case 8:
            guard second <= 1 else { throw .invalidArgument }
            process.attributes.keepsCapabilities = second == 1
        // PR_GET_SECCOMP, PR_GET_SECUREBITS: there are none.
        case 21, 27: return 0
        // PR_GET_TSC: PR_TSC_ENABLE
        case 25: try UserPointer<Int32>(second).store(1)
        // PR_GET_TID_ADDRESS
        case 40: try UserPointer<UInt>(second).store(thread.clearOnExit)
        // PR_CAP_AMBIENT: the set is empty, and IS_SET, LOWER and CLEAR_ALL leave it so.
        case 47:
            let isWhole = second == 4 && third == 0
            guard second == 1 || second == 3 || isWhole, third <= 40, fourth == 0, fifth == 0
            else { throw .invalidArgument }
        // PR_SET_TIMING, PR_GET_TIMING: statistical is the only kind.
        case 13: return 0
        case 14: guard second == 0 else { throw .invalidArgument }
        case 15: thread.name = try threadName(second)
        case 16: try UserPointer<InlineArray<16, UInt8>>(second).store(thread.name.bytes)
        // PR_CAPBSET_READ: what user 0 may have.
        case 23:
            guard second <= 40 else { throw .invalidArgument }
            return 1
        case 29:
            thread.timerSlack = second == 0 ? Thread.defaultTimerSlack : UInt64(second)
        case 30: return Int(truncatingIfNeeded: thread.timerSlack)
        case 36: process.attributes.isSubreaper = second != 0
        case 37: try UserPointer<Int32>(second).store(process.attributes.isSubreaper ? 1 : 0)
        case 38:
            guard second == 1, isPlain else { throw .invalidArgument }
            process.attributes.hasNoNewPrivileges = true
        case 39:
            guard second == 0, isPlain else { throw .invalidArgument }
            return process.attributes.hasNoNewPrivileges ? 1 : 0
        // PR_GET_THP_DISABLE: there are no huge pages to switch off.
        case 42:
            guard second == 0, isPlain else { throw .invalidArgument }
            return 0
        default: throw .invalidArgument
        }
        return 0
    }
}

/// Up to 15 bytes before a zero byte.
private func threadName(_ address: UInt) throws(Errno) -> ThreadName {
    var bytes = InlineArray<16, UInt8>(repeating: 0)
    return try withUnsafeMutableBytes(of: &bytes) { (bytes) throws(Errno) in
        let room = UnsafeMutableRawBufferPointer(rebasing: bytes[..<15])
        do throws(Errno) { _ = try UserMemory.readString(at: address, into: room) } catch {
            // A longer name is cut off.
            guard error == .nameTooLong else { throw error }
        }
        return ThreadName(UnsafeRawBufferPointer(room))
    }
}

// MARK: Scheduling

/// A thread by number, with zero for the current one.
func namedThread(_ id: UInt, _ thread: Thread) throws(Errno) -> Thread {
    guard id.int >= 0 else { throw .invalidArgument }
    if id.int == 0 { return thread }
    guard let found = ThreadTable.thread(id.int) else { throw .noSuchProcess }
    return found
}

/// sched_getaffinity(2): the one processor. Returns the bytes written.
func sysGetAffinity(_ id: UInt, _ size: UInt, _ mask: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        guard size.low >= 8, size.low & 7 == 0 else { throw .invalidArgument }
        // Unlike its neighbours it takes a negative number for one that nobody has.
        guard id.int >= 0 else { throw .noSuchProcess }
        _ = try namedThread(id, thread)
        try UserPointer<UInt64>(mask).store(1)
        return 8
    }
}

/// sched_setaffinity(2): the mask must have the one processor.
func sysSetAffinity(_ id: UInt, _ size: UInt, _ mask: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        guard id.int >= 0 else { throw .noSuchProcess }
        _ = try namedThread(id, thread)
        guard size.low > 0 else { throw .invalidArgument }
        let first = try UserPointer<UInt8>(mask).load()
        guard first & 1 != 0 else { throw .invalidArgument }
        return 0
    }
}

/// SCHED_OTHER, SCHED_BATCH and SCHED_IDLE take no priority; the real-time policies 1 to 99.
private func priorityRange(_ policy: Int32) throws(Errno) -> ClosedRange<Int32> {
    switch policy {
    case 0, 3, 5, 6: return 0...0
    case 1, 2: return 1...99
    default: throw .invalidArgument
    }
}

/// sched_get_priority_max(2)
func sysLargestPriority(_ policy: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in Int(try priorityRange(policy.int).upperBound) }
}

/// sched_get_priority_min(2)
func sysSmallestPriority(_ policy: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in Int(try priorityRange(policy.int).lowerBound) }
}

/// sched_getscheduler(2)
func sysGetScheduler(_ id: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let attributes = try namedThread(id, thread).process.attributes
        return Int(attributes.schedulingPolicy)
            | (attributes.resetsSchedulingOnFork ? resetOnFork : 0)
    }
}

/// SCHED_RESET_ON_FORK
private let resetOnFork = 0x4000_0000

/// Threads take turns by one rule, so that real time is refused.
func checkPolicy(_ policy: Int32, priority: Int32) throws(Errno) {
    guard try priorityRange(policy).contains(priority), policy != 6 else { throw .invalidArgument }
    guard policy == 0 || policy == 3 || policy == 5 else { throw .notPermitted }
}

/// sched_setscheduler(2)
func sysSetScheduler(_ id: UInt, _ policy: UInt, _ parameter: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        guard parameter != 0, id.int >= 0, policy.int >= 0 else { throw .invalidArgument }
        let priority = try UserPointer<Int32>(parameter).load()
        let target = try namedThread(id, thread)
        let resets = policy.int & Int32(resetOnFork) != 0
        let policy = policy.int & ~Int32(resetOnFork)
        try checkPolicy(policy, priority: priority)
        target.process.attributes.schedulingPolicy = policy
        target.process.attributes.resetsSchedulingOnFork = resets
        return 0
    }
}

/// sched_getparam(2)
func sysGetSchedulerParameter(_ id: UInt, _ parameter: UInt, _: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        guard parameter != 0 else { throw .invalidArgument }
        let priority = try namedThread(id, thread).process.attributes.schedulingPriority
        try UserPointer<Int32>(parameter).store(priority)
        return 0
    }
}

/// sched_setparam(2)
func sysSetSchedulerParameter(_ id: UInt, _ parameter: UInt, _: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        guard parameter != 0, id.int >= 0 else { throw .invalidArgument }
        let priority = try UserPointer<Int32>(parameter).load()
        _ = try namedThread(id, thread)
        guard priority == 0 else { throw .invalidArgument }
        return 0
    }
}

/// sched_rr_get_interval(2)
func sysTimeSlice(_ id: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        _ = try namedThread(id, thread)
        try UserPointer<TimeSpecification>(length).store(
            TimeSpecification(nanoseconds: Scheduler.timeSlice)
        )
        return 0
    }
}

/// Whether `which` and `who` of getpriority(2) mean the only process.
private func priorityTarget(_ which: UInt, _ who: UInt, _ process: Process) throws(Errno) {
    switch which.int {
    case 0:
        guard
            who.int == 0 || ProcessTable.process(who.int) != nil
                || ThreadTable.thread(who.int) != nil
        else { throw .noSuchProcess }
    case 1: guard who.int == 0 || who.int == process.groupID else { throw .noSuchProcess }
    case 2:
        guard who.int == 0 || who.low == process.credentials.realUser else {
            throw .noSuchProcess
        }
    default: throw .invalidArgument
    }
}

/// getpriority(2): 20 minus the nice value, as the call itself tells it.
func sysGetPriority(_ which: UInt, _ who: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try priorityTarget(which, who, thread.process)
        return 20 - Int(thread.process.attributes.niceness)
    }
}

/// setpriority(2)
func sysSetPriority(_ which: UInt, _ who: UInt, _ value: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        let process = thread.process!
        try priorityTarget(which, who, process)
        try setNiceness(value.int, of: process, by: process, refusal: .permissionDenied)
        return 0
    }
}

/// Sets a nice value, as far as there are such. Throws `refusal` for one that the process may not take.
func setNiceness(_ value: Int32, of target: Process, by process: Process, refusal: Errno)
    throws(Errno)
{
    let niceness = min(max(value, -20), 19)
    let isRaised = niceness < target.attributes.niceness
    let allowed = Int64(clamping: target.limits[.nice].current)
    guard !isRaised || process.credentials.effectiveUser == 0 || 20 - Int64(niceness) <= allowed
    else { throw refusal }
    target.attributes.niceness = niceness
}

/// getcpu(2)
func sysProcessor(_ processor: UInt, _ node: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { () throws(Errno) in
        if processor != 0 { try UserPointer<UInt32>(processor).store(0) }
        if node != 0 { try UserPointer<UInt32>(node).store(0) }
        return 0
    }
}

let processControlRows: InlineArray<_, Row> = [
    Row(
        157,
        "prctl",
        sysProcessControl,
        .partial,
        .integer,
        .hexadecimal,
        .hexadecimal,
        .hexadecimal,
        .hexadecimal,
        note: "names, signals, dumping, slack, privileges, subreaper; EINVAL for the rest"
    ),
    Row(204, "sched_getaffinity", sysGetAffinity, .full, .processID, .size, .address),
    Row(203, "sched_setaffinity", sysSetAffinity, .full, .processID, .size, .address),
    Row(146, "sched_get_priority_max", sysLargestPriority, .full, .integer),
    Row(147, "sched_get_priority_min", sysSmallestPriority, .full, .integer),
    Row(
        145,
        "sched_getscheduler",
        sysGetScheduler,
        .partial,
        .processID,
        note: "one policy for all threads of a process"
    ),
    Row(
        144,
        "sched_setscheduler",
        sysSetScheduler,
        .partial,
        .processID,
        .integer,
        .address,
        note: "EPERM for real-time policies; one policy for all threads of a process"
    ),
    Row(
        314,
        "sched_setattr",
        sysSetSchedulingAttributes,
        .partial,
        .processID,
        .address,
        .hexadecimal,
        note: "EPERM for real-time policies; one policy for all threads of a process"
    ),
    Row(
        315,
        "sched_getattr",
        sysGetSchedulingAttributes,
        .partial,
        .processID,
        .address,
        .size,
        .hexadecimal,
        note: "one policy for all threads of a process"
    ),
    Row(143, "sched_getparam", sysGetSchedulerParameter, .full, .processID, .address),
    Row(142, "sched_setparam", sysSetSchedulerParameter, .full, .processID, .address),
    Row(148, "sched_rr_get_interval", sysTimeSlice, .full, .processID, .timeResult),
    Row(140, "getpriority", sysGetPriority, .full, .integer, .integer),
    Row(
        141,
        "setpriority",
        sysSetPriority,
        .partial,
        .integer,
        .integer,
        .integer,
        note: "remembered; threads take turns whatever it says"
    ),
    Row(309, "getcpu", sysProcessor, .full, .address, .address, .address),
]
