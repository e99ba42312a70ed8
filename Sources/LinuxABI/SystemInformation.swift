/// `struct new_utsname` of uname(2): six texts of 65 bytes.
public struct SystemNameRecord: BitwiseCopyable {
    public static var fieldSize: Int { 65 }
    public var bytes = InlineArray<390, UInt8>(repeating: 0)

    public init() {}

    /// Sets a field, at most 64 bytes.
    public mutating func set(_ field: Int, _ text: UnsafeRawBufferPointer) {
        for index in 0..<min(text.count, SystemNameRecord.fieldSize - 1) {
            bytes[field * SystemNameRecord.fieldSize + index] = text[index]
        }
    }
}

/// `struct sysinfo`
public struct SystemInformation: BitwiseCopyable {
    public var uptime: Int64 = 0
    /// Averages over 1, 5 and 15 minutes, times 65536.
    public var loads = InlineArray<3, UInt64>(repeating: 0)
    public var totalMemory: UInt64 = 0
    public var freeMemory: UInt64 = 0
    public var sharedMemory: UInt64 = 0
    public var bufferMemory: UInt64 = 0
    public var totalSwap: UInt64 = 0
    public var freeSwap: UInt64 = 0
    public var processes: UInt16 = 0
    private var padding0: UInt16 = 0
    private var padding1: UInt32 = 0
    public var totalHigh: UInt64 = 0
    public var freeHigh: UInt64 = 0
    public var unit: UInt32 = 1
    private var padding2: UInt32 = 0

    public init() {}
}

/// `struct rusage`
public struct ResourceUsage: BitwiseCopyable {
    public var userTime = TimeValue()
    public var systemTime = TimeValue()
    /// Largest resident set in KiB.
    public var largestResident: Int64 = 0
    public var sharedText: Int64 = 0
    public var unsharedData: Int64 = 0
    public var unsharedStack: Int64 = 0
    public var minorFaults: Int64 = 0
    public var majorFaults: Int64 = 0
    public var swaps: Int64 = 0
    public var inputBlocks: Int64 = 0
    public var outputBlocks: Int64 = 0
    public var messagesSent: Int64 = 0
    public var messagesReceived: Int64 = 0
    public var signals: Int64 = 0
    public var voluntarySwitches: Int64 = 0
    public var involuntarySwitches: Int64 = 0

    public init() {}
}

/// `struct tms` of times(2), in ticks of 10 ms.
public struct ProcessTimes: BitwiseCopyable {
    public var user: Int64 = 0
    public var system: Int64 = 0
    public var childrenUser: Int64 = 0
    public var childrenSystem: Int64 = 0

    public init() {}
}

/// `struct __user_cap_header_struct` of capget(2).
public struct CapabilityHeader: BitwiseCopyable {
    public var version: UInt32 = 0
    public var process: Int32 = 0

    public init() {}

    /// _LINUX_CAPABILITY_VERSION_1, which has one word a set
    public static var first: UInt32 { 0x1998_0330 }
    /// _LINUX_CAPABILITY_VERSION_2
    public static var second: UInt32 { 0x2007_1026 }
    /// _LINUX_CAPABILITY_VERSION_3
    public static var third: UInt32 { 0x2008_0522 }
}

/// `struct __user_cap_data_struct`
public struct CapabilityData: BitwiseCopyable {
    public var effective: UInt32 = 0
    public var permitted: UInt32 = 0
    public var inheritable: UInt32 = 0

    public init() {}
}
