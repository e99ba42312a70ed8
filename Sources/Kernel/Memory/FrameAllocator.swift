import LinuxABI
import Platform

/// One page-sized piece of the machine's memory.
public struct Frame: Equatable {
    public let number: UInt32

    @inline(__always)
    public init(number: UInt32) { self.number = number }

    /// Bytes from the start of the machine's memory, as `map_memory` takes them.
    @inline(__always)
    public var offset: UInt64 { UInt64(number) << 12 }

    /// Where the kernel sees the frame's first byte.
    @inline(__always)
    public var address: UnsafeMutableRawPointer { FrameAllocator.base + Int(number) << 12 }
}

/// What a frame is used for, told by the frame table.
enum FrameKind: UInt8 {
    /// Never used, or not the first frame of its block.
    case none
    /// First frame of a free block.
    case free
    /// First frame of a block that `FrameAllocator.allocate` gave out.
    case used
    /// A frame of a slab of the kernel heap; the first keeps the slab's state.
    case slab
    /// First frame of a large block of the kernel heap.
    case large
}

/// One frame's line in the frame table; all zero when the frame was never used.
struct FrameEntry {
    /// Neighbours in a free or slab list; for a large block `next` is its length in frames.
    var next: UInt32 = 0
    var previous: UInt32 = 0
    var kind: UInt8 = 0
    /// The block's order, or the slab's size class.
    var detail: UInt8 = 0
    /// Slab: objects in use. Free block: 1 when it is known to be zero.
    var inUse: UInt16 = 0
    /// Slab: the first freed object in units of 16 bytes, plus one.
    var freeHead: UInt16 = 0
    /// Slab: how many objects were ever given out, from the slab's beginning.
    var carved: UInt16 = 0

    var isFreeZero: Bool { inUse != 0 }
}

/// Gives out the machine's memory in blocks of 1, 2, 4 … frames, aligned to their size.
///
/// A buddy allocator whose table lies in the machine's memory itself. Memory above `frontier` was
/// never used, and neither it nor its part of the table is touched, so a large sparse machine
/// costs nothing. Free blocks that hold old data and those known to be zero are kept apart:
/// old ones are warm and given out first, and given back to the platform when there are many.
public enum FrameAllocator {
    /// The largest block is `1 << maximumOrder` frames, 1 GiB.
    public static let maximumOrder = 18
    /// Free frames with old data that are kept; twice as many start a trim.
    public static let slackFrames = 1024

    nonisolated(unsafe) static var base = UnsafeMutableRawPointer(bitPattern: 4096)!
    nonisolated(unsafe) static var entries = UnsafeMutablePointer<FrameEntry>(bitPattern: 4096)!
    /// List heads by order: first the blocks with old data, then the zero ones.
    nonisolated(unsafe) private static var heads = UnsafeMutablePointer<UInt32>(bitPattern: 4096)!
    /// Bit `order` is set when that list is not empty.
    nonisolated(unsafe) private static var oldOrders: UInt32 = 0
    nonisolated(unsafe) private static var zeroOrders: UInt32 = 0

    nonisolated(unsafe) static var frameCount: UInt32 = 0
    nonisolated(unsafe) static var frontier: UInt32 = 0
    nonisolated(unsafe) private static var firstFrame: UInt32 = 0
    /// Frames given out, the heap's included, the table's not.
    nonisolated(unsafe) public private(set) static var usedFrames = 0
    nonisolated(unsafe) private static var oldFreeFrames = 0

    /// Frames that can be given out in all.
    public static var totalFrames: Int { Int(frameCount - firstFrame) }
    public static var freeFrames: Int { totalFrames - usedFrames }
    /// Frames given out that are not the heap's: contents of files, shared memory.
    public static var pageFrames: Int { usedFrames - KernelHeap.frames }

    /// Called once, before anything allocates.
    public static func start() {
        let count = min(boot.pointee.memory_size >> 12, UInt64(UInt32.max) >> 1)
        let table = (count &* UInt64(MemoryLayout<FrameEntry>.stride) &+ 4095) >> 12
        // One more frame for the list heads and the heap's size classes.
        guard count > table &+ 16 else {
            refuse("the machine has too little memory to start; give more with --memory")
        }
        base = boot.pointee.memory
        entries = base.assumingMemoryBound(to: FrameEntry.self)
        let state = base + Int(table) << 12
        heads = state.assumingMemoryBound(to: UInt32.self)
        KernelHeap.start(state: state + 1024)
        frameCount = UInt32(count)
        firstFrame = UInt32(table) + 1
        frontier = firstFrame
        oldOrders = 0
        zeroOrders = 0
        usedFrames = 0
        oldFreeFrames = 0
        for index in 0..<(2 * (maximumOrder + 1)) { heads[index] = 0 }
    }

    // MARK: Allocating

    /// A block of `1 << order` frames, nil when there is none. `isZero` tells that every byte of
    /// it is known to be zero.
    @_optimize(speed)
    public static func allocate(order: Int = 0) -> (frame: Frame, isZero: Bool)? {
        guard let block = take(order) else { return nil }
        markUsed(block.frame.number, order)
        return block
    }

    /// A block whose bytes are all zero; throws `noMemory`.
    @_optimize(speed)
    public static func allocateZeroed(order: Int = 0) throws(Errno) -> Frame {
        guard let block = allocate(order: order) else { throw .noMemory }
        return zeroed(block, order)
    }

    @inline(__always)
    private static func zeroed(_ block: (frame: Frame, isZero: Bool), _ order: Int) -> Frame {
        if !block.isZero {
            let size = 4096 << order
            block.frame.address.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        }
        return block.frame
    }

    /// Frees a block; its order must be the one it was allocated with.
    public static func free(_ frame: Frame, order: Int = 0) {
        guard frame.number < frontier, frame.number >= firstFrame else {
            panic("a frame outside the machine's memory was freed")
        }
        let entry = entries[Int(frame.number)]
        guard entry.kind == FrameKind.used.rawValue, Int(entry.detail) == order else {
            panic("a frame was freed twice, or with another size than it has")
        }
        give(frame.number, order)
    }

    /// A block for a large page of a program, all zero. A program may touch little of it, so there is
    /// none unless half of the memory is free, and nothing is trimmed to get one.
    static func allocateLargePage() -> Frame? {
        guard freeFrames > totalFrames / 2,
            let block = takeFree(largePageOrder) ?? takeFresh(largePageOrder)
        else { return nil }
        markUsed(block.frame.number, largePageOrder)
        return zeroed(block, largePageOrder)
    }

    /// Makes single frames of a large page, each to be freed on its own.
    static func cutLargePage(_ frame: Frame) {
        for index in 0..<UInt32(1 << largePageOrder) { markUsed(frame.number + index, 0) }
    }

    static var largePageOrder: Int { 9 }

    private static func markUsed(_ number: UInt32, _ order: Int) {
        entries[Int(number)].kind = FrameKind.used.rawValue
        entries[Int(number)].detail = UInt8(truncatingIfNeeded: order)
    }

    /// Takes a block out of the lists or from the frontier, its table entry still unset.
    static func take(_ order: Int) -> (frame: Frame, isZero: Bool)? {
        guard order <= maximumOrder else { return nil }
        if let block = takeFree(order) ?? takeFresh(order) { return block }
        // Old and zero neighbours do not merge: a trim makes all free memory alike.
        guard order > 0, oldFreeFrames > 0 else { return nil }
        trim(keeping: 0)
        return takeFree(order)
    }

    @_optimize(speed)
    private static func takeFree(_ order: Int) -> (frame: Frame, isZero: Bool)? {
        let wanted = ~UInt32(0) << UInt32(order)
        var isZero = false
        var orders = oldOrders & wanted
        if orders == 0 {
            orders = zeroOrders & wanted
            isZero = true
        }
        guard orders != 0 else { return nil }
        var found = orders.trailingZeroBitCount
        let number = heads[listIndex(found, isZero)]
        unlink(number, found, isZero)
        while found > order {
            found -= 1
            link(number + 1 << UInt32(found), found, isZero)
        }
        usedFrames += 1 << order
        return (Frame(number: number), isZero)
    }

    private static func takeFresh(_ order: Int) -> (frame: Frame, isZero: Bool)? {
        let size = UInt32(1) << UInt32(order)
        let start = (frontier + size - 1) & ~(size - 1)
        guard start < frameCount, size <= frameCount - start else { return nil }
        let gap = frontier
        frontier = start + size
        // What alignment skips is free memory like any other.
        insert(run: gap, end: start, isZero: true)
        usedFrames += Int(size)
        return (Frame(number: start), true)
    }

    /// Puts a block that was in use back.
    static func give(_ number: UInt32, _ order: Int) {
        usedFrames -= 1 << order
        insert(number, order, isZero: false)
        if oldFreeFrames > 2 * slackFrames { trim() }
    }

    /// Puts a run of frames in use back, cut into aligned blocks.
    @inline(never)
    static func giveRun(_ start: UInt32, count: UInt32) {
        usedFrames -= Int(count)
        insert(run: start, end: start + count, isZero: false)
        if oldFreeFrames > 2 * slackFrames { trim() }
    }

    // MARK: Trimming

    /// Gives free memory with old data back to the platform, the largest blocks first, until
    /// `keeping` frames of it are left. For the idle loop.
    public static func trim(keeping: Int = slackFrames) {
        var order = maximumOrder
        while order >= 0, oldFreeFrames > keeping {
            let number = heads[listIndex(order, false)]
            guard number != 0 else {
                order -= 1
                continue
            }
            unlink(number, order, false)
            machine.pointee.release_memory(UInt64(number) << 12, 4096 << UInt64(order))
            insert(number, order, isZero: true)
        }
    }

    // MARK: Lists

    @inline(__always)
    private static func listIndex(_ order: Int, _ isZero: Bool) -> Int {
        isZero ? order + maximumOrder + 1 : order
    }

    @_optimize(speed)
    private static func insert(run start: UInt32, end: UInt32, isZero: Bool) {
        var start = start
        while start < end {
            let aligned = min(start.trailingZeroBitCount, maximumOrder)
            let fitting = 31 - (end - start).leadingZeroBitCount
            let order = min(aligned, fitting)
            insert(start, order, isZero: isZero)
            start += 1 << UInt32(order)
        }
    }

    /// Inserts a free block, merged with its buddies.
    @_optimize(speed)
    private static func insert(_ number: UInt32, _ order: Int, isZero: Bool) {
        var number = number
        var order = order
        entries[Int(number)].kind = FrameKind.none.rawValue
        while order < maximumOrder {
            let buddy = number ^ (1 << UInt32(order))
            guard buddy >= firstFrame, buddy < frontier else { break }
            let entry = entries[Int(buddy)]
            guard entry.kind == FrameKind.free.rawValue, Int(entry.detail) == order,
                entry.isFreeZero == isZero
            else { break }
            unlink(buddy, order, isZero)
            number &= ~(1 << UInt32(order))
            order += 1
        }
        link(number, order, isZero)
    }

    @_optimize(speed)
    private static func link(_ number: UInt32, _ order: Int, _ isZero: Bool) {
        let list = listIndex(order, isZero)
        let next = heads[list]
        entries[Int(number)] = FrameEntry(
            next: next,
            kind: FrameKind.free.rawValue,
            detail: UInt8(truncatingIfNeeded: order),
            inUse: isZero ? 1 : 0
        )
        if next != 0 { entries[Int(next)].previous = number }
        heads[list] = number
        if isZero {
            zeroOrders |= 1 << UInt32(order)
        } else {
            oldOrders |= 1 << UInt32(order)
            oldFreeFrames += 1 << order
        }
    }

    @_optimize(speed)
    private static func unlink(_ number: UInt32, _ order: Int, _ isZero: Bool) {
        let list = listIndex(order, isZero)
        let entry = entries[Int(number)]
        if entry.next != 0 { entries[Int(entry.next)].previous = entry.previous }
        if entry.previous != 0 {
            entries[Int(entry.previous)].next = entry.next
        } else {
            heads[list] = entry.next
        }
        entries[Int(number)].kind = FrameKind.none.rawValue
        if !isZero { oldFreeFrames -= 1 << order }
        guard heads[list] == 0 else { return }
        if isZero {
            zeroOrders &= ~(1 << UInt32(order))
        } else {
            oldOrders &= ~(1 << UInt32(order))
        }
    }
}

@c(kernel_take_frame)
func takeFrame(_ leavesReserve: UInt32) -> Int64 {
    guard leavesReserve == 0 || KernelHeap.hasReserve(KernelHeap.programReserve) else {
        return -Int64(Errno.noMemory.rawValue)
    }
    do throws(Errno) { return Int64(try FrameAllocator.allocateZeroed().offset) } catch {
        return -Int64(error.rawValue)
    }
}

@c(kernel_give_frame)
func giveFrame(_ offset: UInt64) {
    FrameAllocator.free(Frame(number: UInt32(truncatingIfNeeded: offset >> 12)))
}

@c(kernel_take_large_page)
func takeLargePage() -> Int64 {
    guard let frame = FrameAllocator.allocateLargePage() else {
        return -Int64(Errno.noMemory.rawValue)
    }
    return Int64(frame.offset)
}

@c(kernel_give_large_page)
func giveLargePage(_ offset: UInt64) {
    let frame = Frame(number: UInt32(truncatingIfNeeded: offset >> 12))
    FrameAllocator.free(frame, order: FrameAllocator.largePageOrder)
}

@c(kernel_cut_large_page)
func cutLargePage(_ offset: UInt64) {
    FrameAllocator.cutLargePage(Frame(number: UInt32(truncatingIfNeeded: offset >> 12)))
}
