import Kernel

/// Counts that `--stats` reports and that are cheap enough to be kept always.
public enum Counters {
    /// Calls that came through a trap because their site is not rewritten, or not yet.
    nonisolated(unsafe) public static var caughtCalls: UInt64 = 0
    /// Page faults of the program that the kernel resolved.
    nonisolated(unsafe) public static var programFaults: UInt64 = 0
    /// Page faults of the kernel's own copies that the kernel resolved.
    nonisolated(unsafe) public static var copyFaults: UInt64 = 0
    /// Faults of the program that became signals.
    nonisolated(unsafe) public static var signalFaults: UInt64 = 0
}

/// What the kernel heap holds.
struct HeapCount {
    var bytes = 0
    var blocks = 0

    static var now: HeapCount {
        HeapCount(bytes: KernelHeap.liveBytes, blocks: KernelHeap.liveBlocks)
    }
}
