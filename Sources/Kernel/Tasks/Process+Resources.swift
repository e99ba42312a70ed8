import LinuxABI
import Platform

/// Limits and what was used.
extension Process {
    /// As setrlimit(2): only user 0 may raise what is the most.
    public func setLimit(_ limit: ResourceLimit, for resource: ResourceLimits.Resource)
        throws(Errno)
    {
        guard limit.current <= limit.maximum else { throw .invalidArgument }
        guard limit.maximum <= limits[resource].maximum || credentials.effectiveUser == 0 else {
            throw .notPermitted
        }
        // fs.nr_open
        if resource == .openFiles, limit.maximum > 1 << 20 { throw .notPermitted }
        limits[resource] = limit
    }

    /// As getrusage(2). Time in the kernel is not told apart from the program's, and counts as
    /// the program's.
    public func usage(ofThread thread: Thread?) -> ResourceUsage {
        var usage = ResourceUsage()
        usage.userTime = TimeValue(
            nanoseconds: thread?.currentProcessorTime ?? processorTime
        )
        var voluntary = thread?.voluntarySwitches ?? voluntarySwitchesOfEnded
        var involuntary = thread?.involuntarySwitches ?? involuntarySwitchesOfEnded
        if thread == nil {
            forEachThread { thread in
                voluntary &+= thread.voluntarySwitches
                involuntary &+= thread.involuntarySwitches
            }
        }
        usage.voluntarySwitches = Int64(voluntary)
        usage.involuntarySwitches = Int64(involuntary)
        usage.minorFaults = Int64(addressSpace?.faultCount ?? 0)
        let resident = machine.pointee.resident_size()
        usage.largestResident = max(0, resident) / 1024
        return usage
    }
}

/// What uname(2) tells, and the host's name.
public enum SystemName {
    /// The Linux release whose calls and structures this kernel follows.
    public static let release: StaticString = "6.1.0-unirun"
    /// As uname's version; /proc/version has it too.
    public static let version: StaticString = "#1 SMP PREEMPT unirun"

    nonisolated(unsafe) private static var node: [UInt8] = []
    nonisolated(unsafe) private static var domain: [UInt8] = []

    /// Bytes of a name: __NEW_UTS_LEN.
    public static let longest = 64

    public static var nodeName: [UInt8] { node }

    /// As sethostname(2) and setdomainname(2), and for the name of the launch record.
    public static func setNode(_ name: UnsafeRawBufferPointer) {
        node = Array(name.prefix(longest))
    }

    public static func setDomain(_ name: UnsafeRawBufferPointer) {
        domain = Array(name.prefix(longest))
    }

    public static func record() -> SystemNameRecord {
        var record = SystemNameRecord()
        set(&record, 0, "Linux")
        node.withUnsafeBytes { record.set(1, $0) }
        set(&record, 2, release)
        set(&record, 3, version)
        set(&record, 4, "x86_64")
        if domain.isEmpty { set(&record, 5, "(none)") }
        domain.withUnsafeBytes { record.set(5, $0) }
        return record
    }

    private static func set(_ record: inout SystemNameRecord, _ field: Int, _ text: StaticString) {
        record.set(
            field,
            UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        )
    }
}
