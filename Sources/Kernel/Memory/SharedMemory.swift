import LinuxABI
import Platform

/// The memory behind a shared anonymous mapping: zeroed frames that come when they are touched.
///
/// Frames are taken in blocks of up to 2 MiB. Blocks that were never used are zero already and
/// cost the platform nothing until their pages are touched, so a large mapping faults rarely.
final class SharedMemory: Mappable, MappedName {
    private static let largestOrder = 9
    /// What one such mapping may span: its table is allocated with it.
    private static let largestSize: UInt64 = 1 << 40
    nonisolated(unsafe) private static var lastInode: UInt64 = 0

    var mappedRegions = 0
    let mappableSize: UInt64
    let mappedIdentity: (device: UInt64, inode: UInt64)
    /// Frame numbers by block; 0 is none yet.
    private let blocks: UnsafeMutablePointer<UInt32>
    private let blockCount: Int
    private let order: Int

    private init(_ size: UInt64, _ blocks: UnsafeMutableBufferPointer<UInt32>, order: Int) {
        mappableSize = size
        self.order = order
        self.blocks = blocks.baseAddress!
        blockCount = blocks.count
        SharedMemory.lastInode += 1
        mappedIdentity = (1, SharedMemory.lastInode)
    }

    /// Throws `noMemory`.
    static func make(size: UInt64) throws(Errno) -> SharedMemory {
        guard size > 0, size <= largestSize else { throw .noMemory }
        let pages = size >> 12
        let order = min(64 - (pages - 1).leadingZeroBitCount, largestOrder)
        let count = Int((pages + 1 << UInt64(order) - 1) >> UInt64(order))
        let bytes = count * MemoryLayout<UInt32>.stride
        guard let memory = KernelHeap.allocate(bytes) else { throw .noMemory }
        let blocks = memory.initializeMemory(as: UInt32.self, repeating: 0, count: count)
        let made = SharedMemory(
            size,
            UnsafeMutableBufferPointer(start: blocks, count: count),
            order: order
        )
        // A small one is there at once and never faults.
        if count == 1 { _ = try made.block(0) }
        return made
    }

    deinit {
        for index in 0..<blockCount where blocks[index] != 0 {
            FrameAllocator.free(Frame(number: blocks[index]), order: order)
        }
        KernelHeap.free(UnsafeMutableRawPointer(blocks))
    }

    private func block(_ index: Int) throws(Errno) -> UInt32 {
        if blocks[index] == 0 {
            blocks[index] = try FrameAllocator.allocateZeroed(order: order).number
        }
        return blocks[index]
    }

    func mappedPages(at offset: UInt64, limit: Int, allocating: Bool) throws(Errno) -> MappedPages {
        guard offset < mappableSize else { return .beyondEnd }
        let page = offset >> 12
        let index = Int(page >> UInt64(order))
        let inBlock = page & (1 << UInt64(order) - 1)
        let rest = min(1 << UInt64(order) - inBlock, (mappableSize >> 12) - page)
        let pages = min(limit, Int(rest))
        guard allocating || blocks[index] != 0 else { return .hole(pages: pages) }
        return .frames(Frame(number: try block(index) + UInt32(inBlock)), pages: pages)
    }

    func removePages(at offset: UInt64, length: UInt64) throws(Errno) {
        var page = offset >> 12
        let end = (offset + length) >> 12
        while page < end {
            let index = Int(page >> UInt64(order))
            let inBlock = page & (1 << UInt64(order) - 1)
            let pages = min(1 << UInt64(order) - inBlock, end - page)
            if blocks[index] != 0 {
                let frame = Frame(number: blocks[index] + UInt32(inBlock))
                machine.pointee.release_memory(frame.offset, pages << 12)
            }
            page += pages
        }
    }

    func appendMappedPath(to text: inout [UInt8]) {
        let path: StaticString = "/dev/zero (deleted)"
        path.withUTF8Buffer { text.append(contentsOf: $0) }
    }
}
