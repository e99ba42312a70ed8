import Kernel
import LinuxABI

/// `struct sched_attr`, with the fields of Linux 5.3.
private struct SchedulingAttributes: BitwiseCopyable {
    var size: UInt32 = 0
    var policy: UInt32 = 0
    var flags: UInt64 = 0
    var niceness: Int32 = 0
    var priority: UInt32 = 0
    var runtime: UInt64 = 0
    var deadline: UInt64 = 0
    var period: UInt64 = 0
    var leastUse: UInt32 = 0
    var mostUse: UInt32 = 0

    /// The fields of the first version.
    static let firstSize = 48
    static let ownSize = MemoryLayout<SchedulingAttributes>.size

    /// SCHED_FLAG_RESET_ON_FORK, _KEEP_POLICY, _KEEP_PARAMS
    static let resetOnFork: UInt64 = 1
    static let keepPolicy: UInt64 = 8
    static let keepParameters: UInt64 = 16
}

/// sched_getattr(2)
func sysGetSchedulingAttributes(
    _ id: UInt,
    _ record: UInt,
    _ size: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard record != 0, flags.low == 0, size.low <= 4096,
            size.low >= SchedulingAttributes.firstSize
        else { throw .invalidArgument }
        let attributes = try namedThread(id, thread).process.attributes
        var told = SchedulingAttributes()
        let length = min(Int(size.low), SchedulingAttributes.ownSize)
        told.size = UInt32(length)
        told.policy = UInt32(attributes.schedulingPolicy)
        told.flags = attributes.resetsSchedulingOnFork ? SchedulingAttributes.resetOnFork : 0
        told.niceness = attributes.niceness
        try withUnsafeBytes(of: &told) { (bytes) throws(Errno) in
            try UserMemory.write(UnsafeRawBufferPointer(rebasing: bytes[..<length]), at: record)
        }
        return 0
    }
}

/// sched_setattr(2): as sched_setscheduler(2), real time is refused.
func sysSetSchedulingAttributes(
    _ id: UInt,
    _ record: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard record != 0, id.int >= 0, flags.low == 0 else { throw .invalidArgument }
        let asked = try schedulingAttributes(at: record)
        let known =
            SchedulingAttributes.resetOnFork | SchedulingAttributes.keepPolicy
            | SchedulingAttributes.keepParameters
        guard Int32(bitPattern: asked.policy) >= 0, asked.flags & ~known == 0 else {
            throw .invalidArgument
        }
        let target = try namedThread(id, thread).process!
        let keepsPolicy = asked.flags & SchedulingAttributes.keepPolicy != 0
        let policy =
            keepsPolicy ? target.attributes.schedulingPolicy : Int32(bitPattern: asked.policy)
        try checkPolicy(policy, priority: Int32(bitPattern: asked.priority))
        if asked.flags & SchedulingAttributes.keepParameters == 0, policy != 5 {
            try setNiceness(asked.niceness, of: target, by: thread.process, refusal: .notPermitted)
        }
        guard !keepsPolicy else { return 0 }
        target.attributes.schedulingPolicy = policy
        target.attributes.resetsSchedulingOnFork =
            asked.flags & SchedulingAttributes.resetOnFork != 0
        return 0
    }
}

/// Reads a record of any version; fields that this kernel does not know must be zero. Where they are
/// not, the record is told the size that is known.
private func schedulingAttributes(at address: UInt) throws(Errno) -> SchedulingAttributes {
    let told = Int(try UserPointer<UInt32>(address).load())
    let size = told == 0 ? SchedulingAttributes.firstSize : told
    var attributes = SchedulingAttributes()
    do throws(Errno) {
        guard (SchedulingAttributes.firstSize...4096).contains(size) else {
            throw .argumentListTooLong
        }
        let known = min(size, SchedulingAttributes.ownSize)
        try withUnsafeMutableBytes(of: &attributes) { (bytes) throws(Errno) in
            let room = UnsafeMutableRawBufferPointer(rebasing: bytes[..<known])
            try UserMemory.read(room, at: address)
        }
        for offset in known..<size {
            guard try UserPointer<UInt8>(address &+ UInt(offset)).load() == 0 else {
                throw .argumentListTooLong
            }
        }
        return attributes
    } catch {
        if error == .argumentListTooLong {
            try UserPointer<UInt32>(address).store(UInt32(SchedulingAttributes.ownSize))
        }
        throw error
    }
}
