import LinuxABI
import Platform

/// Which frame holds each page of a file; zero is none. Few pages are kept in place, the others in
/// tables of 512.
struct PageMap: ~Copyable {
    static let tableSize = 512
    static let inlineCount = 4

    private typealias Table = UnsafeMutablePointer<UInt32>

    private var first = InlineArray<4, UInt32>(repeating: 0)
    private var tables: UnsafeMutablePointer<UnsafeMutablePointer<UInt32>?>?
    private var tableCapacity = 0
    /// Pages with a frame.
    private(set) var count = 0
    /// One more than the last page that ever had a frame.
    private(set) var end = 0

    deinit {
        for index in 0..<tableCapacity { KernelBuffer.free(tables![index]) }
        KernelBuffer.free(tables)
    }

    /// The frame of a page, or zero.
    @inline(__always)
    subscript(page: Int) -> UInt32 {
        if page < PageMap.inlineCount { return first[page] }
        let index = page >> 9
        guard index < tableCapacity, let table = tables.unsafelyUnwrapped[index] else { return 0 }
        return table[page & 511]
    }

    /// Makes sure that `set` can keep the pages from `page` on, up to the end of its table.
    mutating func reserve(_ page: Int) throws(Errno) {
        guard page >= PageMap.inlineCount else { return }
        let index = page >> 9
        if index >= tableCapacity { try grow(index + 1) }
        guard tables![index] == nil else { return }
        tables![index] = try KernelBuffer.allocateZeroed(PageMap.tableSize * 4)
            .assumingMemoryBound(to: UInt32.self)
    }

    private mutating func grow(_ needed: Int) throws(Errno) {
        var capacity = max(tableCapacity, 4)
        while capacity < needed { capacity *= 2 }
        let stride = MemoryLayout<UnsafeMutablePointer<UInt32>?>.stride
        let memory = try KernelBuffer.allocateZeroed(capacity * stride)
            .assumingMemoryBound(to: UnsafeMutablePointer<UInt32>?.self)
        if let tables { memory.update(from: tables, count: tableCapacity) }
        KernelBuffer.free(tables)
        tables = memory
        tableCapacity = capacity
    }

    /// Sets a page whose place was reserved.
    mutating func set(_ page: Int, _ frame: UInt32) {
        if page < PageMap.inlineCount {
            first[page] = frame
        } else {
            tables![page >> 9]![page & 511] = frame
        }
        count += frame == 0 ? -1 : 1
        if frame != 0 { end = max(end, page + 1) }
    }

    /// The first page at or after `page` with a frame (or without one), at most `limit`.
    func next(_ page: Int, hasFrame: Bool, limit: Int) -> Int {
        var page = page
        while page < limit {
            if page >= PageMap.inlineCount, !isTable(page) {
                if !hasFrame { return page }
                page = (page >> 9 + 1) << 9
                continue
            }
            if (self[page] != 0) == hasFrame { return page }
            page += 1
        }
        return limit
    }

    /// Takes pages out and gives their frames back; how many there were.
    @inline(never)
    @discardableResult
    mutating func giveFrames(from first: Int, to end: Int) -> Int {
        let before = count
        var page = next(first, hasFrame: true, limit: end)
        while page < end {
            let frame = self[page]
            set(page, 0)
            FrameAllocator.giveRun(frame, count: 1)
            page = next(page + 1, hasFrame: true, limit: end)
        }
        return before - count
    }

    private func isTable(_ page: Int) -> Bool {
        page >> 9 < tableCapacity && tables![page >> 9] != nil
    }
}
