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

/// What is in use of the machine's memory, pools not counted.
struct MemoryCount {
    /// Of the kernel heap.
    var bytes = 0
    var blocks = 0
    /// Pages of files and shared memory.
    var pages = 0

    static var now: MemoryCount {
        MemoryCount(
            bytes: KernelHeap.liveBytes - KernelHeap.pooledBytes,
            blocks: KernelHeap.liveBlocks - KernelHeap.pooledBlocks,
            pages: FrameAllocator.pageFrames - KernelHeap.pooledFrames
        )
    }
}
