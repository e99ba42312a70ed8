/// One limit of getrlimit(2).
public struct ResourceLimit: BitwiseCopyable {
    public var current: UInt64
    public var maximum: UInt64

    public static let infinity = UInt64.max

    public init(_ current: UInt64, _ maximum: UInt64) {
        self.current = current
        self.maximum = maximum
    }
}

/// The limits of a process, numbered as getrlimit(2) does, with Linux's defaults.
public struct ResourceLimits {
    public enum Resource: Int, CaseIterable {
        case processorTime, fileSize, data, stack, core, residentSet, processes, openFiles
        case lockedMemory, addressSpace, locks, pendingSignals, messageQueues, nice
        case realTimePriority, realTimeTime
    }

    private var values: InlineArray<16, ResourceLimit>

    public init() {
        values = InlineArray(repeating: ResourceLimit(.max, .max))
        self[.stack] = ResourceLimit(8 << 20, .max)
        self[.core] = ResourceLimit(0, .max)
        self[.processes] = ResourceLimit(63_000, 63_000)
        self[.openFiles] = ResourceLimit(1024, 1 << 20)
        self[.lockedMemory] = ResourceLimit(8 << 20, 8 << 20)
        self[.pendingSignals] = ResourceLimit(63_000, 63_000)
        self[.messageQueues] = ResourceLimit(819_200, 819_200)
        self[.nice] = ResourceLimit(0, 0)
        self[.realTimePriority] = ResourceLimit(0, 0)
    }

    public subscript(resource: Resource) -> ResourceLimit {
        get { values[resource.rawValue] }
        set { values[resource.rawValue] = newValue }
    }
}
