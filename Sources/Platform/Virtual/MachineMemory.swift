import Platform
import Virtio

/// The physical memory that the kernel gives out, which the contract calls the machine's memory: a
/// range below 4 GiB, and what a large machine has above.
enum MachineMemory {
    nonisolated(unsafe) private static var low: Range<UInt64> = 0..<0
    nonisolated(unsafe) private static var high: Range<UInt64> = 0..<0

    private static var lowSize: UInt64 { low.upperBound &- low.lowerBound }

    /// Physical address of an offset into it.
    static func physical(_ offset: UInt64) -> UInt64 {
        offset < lowSize ? low.lowerBound &+ offset : high.lowerBound &+ (offset &- lowSize)
    }

    /// The offset of a physical address.
    static func offset(_ address: UInt64) -> UInt64 {
        address >> 32 == 0 ? address &- low.lowerBound : address &- high.lowerBound &+ lowSize
    }

    /// The number of a frame given by its physical address.
    static func index(_ address: UInt64) -> Int { Int(offset(address) >> 12) }

    /// How many of the bytes from an offset lie in one piece of physical memory.
    static func run(_ offset: UInt64, _ length: UInt64) -> UInt64 {
        offset < lowSize ? min(length, lowSize - offset) : length
    }

    /// All of it, in one piece.
    static var start: UnsafeMutableRawPointer {
        high.isEmpty
            ? Physical.pointer(low.lowerBound)
            : UnsafeMutableRawPointer(bitPattern: UInt(MEMORY_MAP))!
    }

    /// A frame of zeros, or nil when there is none left: with `leavesReserve`, none but those that
    /// the kernel's own heap may need.
    static func takeFrame(leavesReserve: Bool = false) -> UInt64? {
        let offset = kernel_take_frame(leavesReserve ? 1 : 0)
        return offset < 0 ? nil : physical(UInt64(offset))
    }

    static func giveFrame(_ address: UInt64) { kernel_give_frame(offset(address)) }

    /// 2 MiB of zeros that begin at a multiple of 2 MiB, or nil when there are none to spare.
    static func takeLargePage() -> UInt64? {
        // What is aligned for the kernel is it for the processor too, unless the machine is small.
        guard low.lowerBound % largePage == 0 else { return nil }
        let offset = kernel_take_large_page()
        return offset < 0 ? nil : physical(UInt64(offset))
    }

    static func giveLargePage(_ address: UInt64) { kernel_give_large_page(offset(address)) }

    /// Makes frames of it that are given back one by one.
    static func cutLargePage(_ address: UInt64) { kernel_cut_large_page(offset(address)) }

    /// The largest ranges below and above 4 GiB that neither the image nor the module has. What boot
    /// loader and firmware left lies below 1 MiB.
    static func find(_ loader: BootLoader, image: Range<UInt64>) {
        let border: UInt64 = 4 << 30
        let below = largest(loader, image, in: 0..<border)
        low = pages(below, of: below.count >= worthAligning ? largePage : 4096)
        let above = pages(largest(loader, image, in: border..<border + maximum), of: largePage)
        // A little is not worth the tables.
        guard above.upperBound - above.lowerBound >= 64 << 20 else { return }
        join(above)
    }

    private static var largePage: UInt64 { 2 << 20 }
    /// Of less memory than this every page counts.
    private static var worthAligning: Int { 64 << 20 }
    /// What MEMORY_MAP has room for, with all that lies below 4 GiB.
    private static var maximum: UInt64 { 508 << 30 }

    private static func pages(_ range: Range<UInt64>, of size: UInt64) -> Range<UInt64> {
        let start = (range.lowerBound + size - 1) & ~(size - 1)
        return start..<max(start, range.upperBound & ~(size - 1))
    }

    private static func largest(
        _ loader: BootLoader,
        _ image: Range<UInt64>,
        in bounds: Range<UInt64>
    ) -> Range<UInt64> {
        var largest: Range<UInt64> = 0..<0
        for index in 0..<loader.memoryCount {
            let all = loader.memory[index]
            let rest = all.clamped(to: image.upperBound..<UInt64.max).clamped(to: bounds)
            let below = rest.clamped(to: 0..<loader.module.lowerBound)
            let above = rest.clamped(to: loader.module.upperBound..<UInt64.max)
            if below.count > largest.count { largest = below }
            if above.count > largest.count { largest = above }
        }
        return largest
    }

    /// Maps both parts one behind the other, by pages of 2 MiB.
    private static func join(_ above: Range<UInt64>) {
        let tables = Int((lowSize + above.upperBound - above.lowerBound) >> 30) + 1
        let upper = reserve(UInt64(tables + 1) << 12)
        clear(Physical.pointer(upper), (tables + 1) << 12)
        low = pages(low, of: largePage)
        high = above
        let usable = UInt64(PAGE_PRESENT | PAGE_WRITABLE | PAGE_USER)
        for table in 0..<tables {
            Physical.words(upper)[table] = (upper + UInt64(table + 1) << 12) | usable
        }
        // The directories lie one behind the other, as what they map.
        let directories = Physical.words(upper + 4096)
        for index in 0..<Int(size / largePage) {
            directories[index] =
                physical(UInt64(index) * largePage) | usable | UInt64(PAGE_LARGE)
                | UInt64(PAGE_NO_EXECUTE)
        }
        let root = Physical.words(Physical.address(ofImage: machine_tables.root))
        root[Int(MEMORY_MAP_SLOT)] = upper | usable
        Physical.startOfHigh = UInt64(MEMORY_MAP) &+ lowSize &- high.lowerBound
    }

    /// Takes bytes from the end; their physical address.
    static func reserve(_ size: UInt64) -> UInt64 {
        if high.isEmpty {
            low = low.lowerBound..<(low.upperBound - size) & ~4095
            return low.upperBound
        }
        high = high.lowerBound..<(high.upperBound - size) & ~4095
        return high.upperBound
    }

    /// Takes zero pages for a device and its driver, for good; nil when there are none. Called before the
    /// kernel has the memory.
    static func reserveShared(_ size: Int) -> SharedMemory? {
        let length = (UInt64(size) + 4095) & ~4095
        guard length < self.size else { return nil }
        let address = reserve(length)
        // A machine with firmware does not begin with zeros.
        clear(Physical.pointer(address), Int(length))
        return SharedMemory(pointer: Physical.pointer(address), address: address, size: size)
    }

    static var size: UInt64 { lowSize + high.upperBound - high.lowerBound }

    /// Makes a range zero: nobody uses it any more.
    static func clear(_ offset: UInt64, _ length: UInt64) {
        clear(start + Int(offset), Int(length))
    }

    private static func clear(_ start: UnsafeMutableRawPointer, _ count: Int) {
        start.initializeMemory(as: UInt8.self, repeating: 0, count: count)
    }
}
