import LinuxABI
import Platform

/// The kernel's heap: what Swift's objects and arrays live in.
///
/// Objects up to 2048 bytes come from slabs, each a naturally aligned block of frames that holds
/// objects of one size; larger ones are runs of whole frames. A slab's state lies in the frame
/// table, so a pointer leads to it by arithmetic alone, and an object of a power-of-two size is
/// aligned to its size.
///
/// A freed object keeps a mark in its second word: freeing it again, or writing to it while it is
/// free, ends the instance with a message instead of corrupting something else.
public enum KernelHeap {
    /// One size of objects.
    struct SizeClass {
        /// First slab that has room; 0 is none.
        var partial: UInt32
        var size: UInt32
        /// `2^32 / size` rounded up: dividing an offset by `size` is a multiplication.
        var reciprocal: UInt32
        /// Frames of a slab are `1 << order`.
        var order: UInt8
        var unused: UInt8
        /// Objects of a slab.
        var capacity: UInt16
        var live: UInt64
    }

    static let classCount = 24
    static let largestSlabObject = 2048

    nonisolated(unsafe) private static var classes =
        UnsafeMutablePointer<SizeClass>(bitPattern: 4096)!
    nonisolated(unsafe) private static var mark: UInt64 = 0

    /// Bytes in use, rounded up to the size classes; blocks in use; the large ones among them.
    nonisolated(unsafe) public private(set) static var liveBytes = 0
    nonisolated(unsafe) public private(set) static var liveBlocks = 0
    nonisolated(unsafe) public private(set) static var liveLargeBlocks = 0

    /// What pools keep for good, counted in the above too: see `countingAsPooled`.
    nonisolated(unsafe) public private(set) static var pooledBytes = 0
    nonisolated(unsafe) public private(set) static var pooledBlocks = 0
    /// Frames beside those of the heap: what the platform needs for a pool's guard pages.
    nonisolated(unsafe) public private(set) static var pooledFrames = 0
    /// Frames of slabs and large blocks.
    nonisolated(unsafe) public private(set) static var frames = 0

    /// What a system call needs on the heap at most, where it is not measured by itself.
    public static let callReserve = 256 << 10

    /// What pages of the program leave: where one of them finds no memory, calls still do.
    static let programReserve = callReserve + 64 << 10

    /// Called by the frame allocator; `state` is zero and at least 1 KiB.
    static func start(state: UnsafeMutableRawPointer) {
        classes = state.assumingMemoryBound(to: SizeClass.self)
        mark = boot.pointee.random_seed.0 == 0 ? 0x9e37_79b9_7f4a_7c15 : seededMark()
        liveBytes = 0
        liveBlocks = 0
        liveLargeBlocks = 0
        pooledBytes = 0
        pooledBlocks = 0
        pooledFrames = 0
        frames = 0
        for index in 0..<classCount {
            let size = classSize(index)
            let order = size <= 512 ? 0 : size <= 1024 ? 1 : 2
            classes[index] = SizeClass(
                partial: 0,
                size: UInt32(size),
                reciprocal: UInt32((1 << 32 + size - 1) / size),
                order: UInt8(order),
                unused: 0,
                capacity: UInt16((4096 << order) / size),
                live: 0
            )
        }
    }

    private static func seededMark() -> UInt64 {
        withUnsafeBytes(of: boot.pointee.random_seed) {
            $0.load(fromByteOffset: 8, as: UInt64.self) | 1
        }
    }

    /// Objects in use by size class, for the statistics and tests.
    public static func liveObjects(inClass index: Int) -> (size: Int, count: Int) {
        (Int(classes[index].size), Int(classes[index].live))
    }

    /// Whether `bytes` can still be allocated: a call starts only with a measured reserve,
    /// because Swift's allocation traps when there is none.
    @inline(__always)
    public static func hasReserve(_ bytes: Int = callReserve) -> Bool {
        FrameAllocator.freeFrames > bytes >> 12
    }

    /// Runs `make`; what it leaves allocated is a pool's and used again. So a pool that grew is told
    /// apart from a leak.
    static func countingAsPooled<Object>(_ make: () throws(Errno) -> Object) throws(Errno)
        -> Object
    {
        let (bytes, blocks, frames) = (liveBytes, liveBlocks, FrameAllocator.pageFrames)
        defer {
            pooledBytes += liveBytes - bytes
            pooledBlocks += liveBlocks - blocks
            pooledFrames += FrameAllocator.pageFrames - frames
        }
        return try make()
    }

    // MARK: Size classes

    /// 16 to 128 in steps of 16, then four steps for each doubling up to 2048.
    @inline(__always)
    static func classIndex(_ size: Int) -> Int {
        if size <= 128 { return (size &+ 15) >> 4 &- 1 }
        let last = size &- 1
        let logarithm = 63 &- last.leadingZeroBitCount
        return 8 &+ (logarithm &- 7) << 2 &+ (last >> (logarithm &- 2)) & 3
    }

    static func classSize(_ index: Int) -> Int {
        if index < 8 { return (index + 1) << 4 }
        let doubling = (index - 8) >> 2
        return (5 + (index - 8) & 3) << (5 + doubling)
    }

    // MARK: Allocating

    /// Memory for `size` bytes at a multiple of `alignment`, a power of two; nil when there is
    /// none. What it holds is undefined.
    @inline(__always)
    public static func allocate(_ size: Int, alignment: Int = 16) -> UnsafeMutableRawPointer? {
        var size = size <= 0 ? 1 : size
        if alignment > 16 { size = roundedUp(size, alignment) }
        guard size <= largestSlabObject else { return allocateLarge(size, alignment) }
        return allocateObject(classIndex(size))
    }

    /// A power of two is aligned to itself in its slab.
    private static func roundedUp(_ size: Int, _ alignment: Int) -> Int {
        let size = max(size, alignment)
        guard size <= largestSlabObject else { return size }
        return 1 << (64 - (size - 1).leadingZeroBitCount)
    }

    @inline(__always)
    private static func allocateObject(_ index: Int) -> UnsafeMutableRawPointer? {
        let sizeClass = classes + index
        var number = sizeClass.pointee.partial
        if number == 0 {
            number = addSlab(index)
            guard number != 0 else { return nil }
        }
        let slab = FrameAllocator.entries + Int(number)
        let start = FrameAllocator.base + Int(number) << 12
        let object: UnsafeMutableRawPointer
        if slab.pointee.freeHead != 0 {
            object = start + (Int(slab.pointee.freeHead) &- 1) << 4
            guard object.load(fromByteOffset: 8, as: UInt64.self) == markOf(object) else {
                panic("a heap object was written after it was freed")
            }
            slab.pointee.freeHead = object.load(as: UInt16.self)
        } else {
            object = start + Int(slab.pointee.carved) &* Int(sizeClass.pointee.size)
            slab.pointee.carved &+= 1
        }
        // An object carved from a frame that was a slab before may hold that time's mark.
        object.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
        slab.pointee.inUse &+= 1
        if slab.pointee.inUse == sizeClass.pointee.capacity { removePartial(number, sizeClass) }
        sizeClass.pointee.live &+= 1
        liveBlocks &+= 1
        liveBytes &+= Int(sizeClass.pointee.size)
        return object
    }

    @inline(__always)
    private static func markOf(_ object: UnsafeMutableRawPointer) -> UInt64 {
        mark ^ UInt64(UInt(bitPattern: object))
    }

    @inline(never)
    private static func addSlab(_ index: Int) -> UInt32 {
        let order = Int(classes[index].order)
        guard let (frame, _) = FrameAllocator.take(order) else { return 0 }
        for number in Int(frame.number)..<(Int(frame.number) + 1 << order) {
            FrameAllocator.entries[number] = FrameEntry(
                kind: FrameKind.slab.rawValue,
                detail: UInt8(truncatingIfNeeded: index)
            )
        }
        frames &+= 1 << order
        addPartial(frame.number, classes + index)
        return frame.number
    }

    @inline(__always)
    private static func addPartial(_ number: UInt32, _ sizeClass: UnsafeMutablePointer<SizeClass>) {
        let next = sizeClass.pointee.partial
        FrameAllocator.entries[Int(number)].next = next
        FrameAllocator.entries[Int(number)].previous = 0
        if next != 0 { FrameAllocator.entries[Int(next)].previous = number }
        sizeClass.pointee.partial = number
    }

    @inline(__always)
    private static func removePartial(
        _ number: UInt32,
        _ sizeClass: UnsafeMutablePointer<SizeClass>
    ) {
        let entry = FrameAllocator.entries[Int(number)]
        if entry.next != 0 { FrameAllocator.entries[Int(entry.next)].previous = entry.previous }
        if entry.previous != 0 {
            FrameAllocator.entries[Int(entry.previous)].next = entry.next
        } else {
            sizeClass.pointee.partial = entry.next
        }
    }

    @inline(never)
    private static func allocateLarge(_ size: Int, _ alignment: Int) -> UnsafeMutableRawPointer? {
        let bytes = max(size, alignment)
        guard bytes <= 4096 << FrameAllocator.maximumOrder else { return nil }
        let count = UInt32((size + 4095) >> 12)
        let order = 52 - (bytes - 1).leadingZeroBitCount
        guard let (frame, _) = FrameAllocator.take(max(order, 0)) else { return nil }
        let tail = (UInt32(1) << UInt32(max(order, 0))) - count
        FrameAllocator.entries[Int(frame.number)] = FrameEntry(
            next: count,
            kind: FrameKind.large.rawValue
        )
        if tail > 0 { FrameAllocator.giveRun(frame.number + count, count: tail) }
        liveBlocks &+= 1
        liveLargeBlocks &+= 1
        frames &+= Int(count)
        liveBytes &+= Int(count) << 12
        return frame.address
    }

    // MARK: Freeing

    /// Frees what `allocate` returned. Anything else ends the instance.
    @inline(__always)
    public static func free(_ object: UnsafeMutableRawPointer) {
        let offset = UInt(bitPattern: object) &- UInt(bitPattern: FrameAllocator.base)
        guard offset >> 12 < UInt(FrameAllocator.frontier) else { foreign() }
        let entry = FrameAllocator.entries + Int(offset >> 12)
        guard entry.pointee.kind == FrameKind.slab.rawValue else {
            return freeLarge(UInt32(truncatingIfNeeded: offset >> 12), offset)
        }
        let sizeClass = classes + Int(entry.pointee.detail)
        let bytes = UInt(4096) << UInt(sizeClass.pointee.order)
        let inSlab = offset & (bytes &- 1)
        let place = (inSlab &* UInt(sizeClass.pointee.reciprocal)) >> 32
        guard place &* UInt(sizeClass.pointee.size) == inSlab else { foreign() }
        freeObject(object, UInt32(truncatingIfNeeded: (offset &- inSlab) >> 12), inSlab, sizeClass)
    }

    @inline(__always)
    private static func freeObject(
        _ object: UnsafeMutableRawPointer,
        _ number: UInt32,
        _ inSlab: UInt,
        _ sizeClass: UnsafeMutablePointer<SizeClass>
    ) {
        let slab = FrameAllocator.entries + Int(number)
        guard object.load(fromByteOffset: 8, as: UInt64.self) != markOf(object) else {
            panic("a heap object was freed twice")
        }
        object.storeBytes(of: slab.pointee.freeHead, as: UInt16.self)
        object.storeBytes(of: markOf(object), toByteOffset: 8, as: UInt64.self)
        slab.pointee.freeHead = UInt16(truncatingIfNeeded: inSlab >> 4 &+ 1)
        let wasFull = slab.pointee.inUse == sizeClass.pointee.capacity
        slab.pointee.inUse &-= 1
        sizeClass.pointee.live &-= 1
        liveBlocks &-= 1
        liveBytes &-= Int(sizeClass.pointee.size)
        if wasFull { addPartial(number, sizeClass) }
        if slab.pointee.inUse == 0 { removeEmpty(number, sizeClass) }
    }

    /// Gives an empty slab back, unless it is the only one with room: a program that allocates
    /// and frees one object at the edge must not move frames each time.
    @inline(__always)
    private static func removeEmpty(
        _ number: UInt32,
        _ sizeClass: UnsafeMutablePointer<SizeClass>
    ) {
        let slab = FrameAllocator.entries[Int(number)]
        guard slab.next != 0 || slab.previous != 0 else { return }
        giveSlab(number, sizeClass)
    }

    @inline(never)
    private static func giveSlab(_ number: UInt32, _ sizeClass: UnsafeMutablePointer<SizeClass>) {
        removePartial(number, sizeClass)
        let order = Int(sizeClass.pointee.order)
        for index in Int(number)..<(Int(number) + 1 << order) {
            FrameAllocator.entries[index].kind = FrameKind.none.rawValue
        }
        frames &-= 1 << order
        FrameAllocator.give(number, order)
    }

    @inline(never)
    private static func freeLarge(_ number: UInt32, _ offset: UInt) {
        let entry = FrameAllocator.entries[Int(number)]
        guard offset & 4095 == 0, entry.kind == FrameKind.large.rawValue else { foreign() }
        liveBlocks &-= 1
        liveLargeBlocks &-= 1
        frames &-= Int(entry.next)
        liveBytes &-= Int(entry.next) << 12
        FrameAllocator.giveRun(number, count: entry.next)
    }

    private static func foreign() -> Never {
        panic("memory that the heap did not give out, or that was freed already, was freed")
    }
}

/// For heap.c: posix_memalign.
@c(kernel_heap_allocate)
public func kernelHeapAllocate(_ size: UInt, _ alignment: UInt) -> UnsafeMutableRawPointer? {
    guard size <= 4096 << FrameAllocator.maximumOrder else { return nil }
    return KernelHeap.allocate(Int(size), alignment: Int(truncatingIfNeeded: alignment))
}

/// For heap.c: free.
@c(kernel_heap_free)
public func kernelHeapFree(_ object: UnsafeMutableRawPointer) {
    KernelHeap.free(object)
}
