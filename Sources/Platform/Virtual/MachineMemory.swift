import Platform
import Virtio

/// The physical memory that the kernel gives out: one range, which the contract calls the machine's
/// memory.
enum MachineMemory {
    nonisolated(unsafe) private static var range: Range<UInt64> = 0..<0

    /// Physical address of an offset into it.
    static func physical(_ offset: UInt64) -> UInt64 { range.lowerBound &+ offset }

    /// The number of a frame given by its physical address.
    static func index(_ address: UInt64) -> Int { Int((address &- range.lowerBound) >> 12) }

    /// A frame of zeros, or nil when there is none left: with `leavesReserve`, none but those that
    /// the kernel's own heap may need.
    static func takeFrame(leavesReserve: Bool = false) -> UInt64? {
        let offset = kernel_take_frame(leavesReserve ? 1 : 0)
        return offset < 0 ? nil : physical(UInt64(offset))
    }

    static func giveFrame(_ address: UInt64) { kernel_give_frame(address &- range.lowerBound) }

    /// The largest range that neither the image nor the module has. What boot loader and firmware
    /// left lies below 1 MiB.
    static func find(_ loader: BootLoader, image: Range<UInt64>) {
        var largest: Range<UInt64> = 0..<0
        for index in 0..<loader.memoryCount {
            let all = loader.memory[index]
            let rest = all.clamped(to: image.upperBound..<UInt64.max)
            let below = rest.clamped(to: 0..<loader.module.lowerBound)
            let above = rest.clamped(to: loader.module.upperBound..<UInt64.max)
            if below.count > largest.count { largest = below }
            if above.count > largest.count { largest = above }
        }
        // Only what the direct map shows.
        largest = largest.clamped(to: 0..<4 << 30)
        range = (largest.lowerBound + 4095) & ~4095..<largest.upperBound & ~4095
    }

    /// Takes bytes from the end; their physical address.
    static func reserve(_ size: UInt64) -> UInt64 {
        let end = (range.upperBound - size) & ~4095
        range = range.lowerBound..<end
        return end
    }

    /// Takes pages for a device and its driver, for good; nil when there are none. Called before the
    /// kernel has the memory.
    static func reserveShared(_ size: Int) -> SharedMemory? {
        let length = (UInt64(size) + 4095) & ~4095
        guard length < self.size else { return nil }
        let address = reserve(length)
        return SharedMemory(pointer: Physical.pointer(address), address: address, size: size)
    }

    static var size: UInt64 { range.upperBound - range.lowerBound }

    /// Makes a range zero: nobody uses it any more.
    static func clear(_ offset: UInt64, _ length: UInt64) {
        Physical.pointer(physical(offset)).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: Int(length)
        )
    }
}
