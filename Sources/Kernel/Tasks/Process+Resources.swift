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

    /// As getrusage(2) for children that were waited for.
    public var usageOfChildren: ResourceUsage {
        var usage = ResourceUsage()
        usage.userTime = TimeValue(nanoseconds: childrenUse.processorTime)
        usage.voluntarySwitches = Int64(childrenUse.voluntarySwitches)
        usage.involuntarySwitches = Int64(childrenUse.involuntarySwitches)
        return usage
    }

    public var processorTimeOfChildren: Nanoseconds { childrenUse.processorTime }

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
        let resident = machine.pointee.largest_resident_size()
        usage.largestResident = max(0, resident) / 1024
        return usage
    }
}
