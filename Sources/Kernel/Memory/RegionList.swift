import LinuxABI

/// The regions of an address space in ascending order.
///
/// Chunks of up to 64 regions behind one directory: finding one is two binary searches, inserting
/// moves at most a chunk's worth, and looking for room skips chunks whose largest gap is too
/// small, so tens of thousands of regions stay fast. Memory comes from the heap before a change
/// begins (`reserve`), so no change fails half done.
struct RegionList {
    /// Where a region stands; positions behind a change are stale.
    struct Position: Equatable {
        var chunk: Int
        var index: Int
    }

    struct Chunk {
        var count: Int
        /// The largest gap between two regions of this chunk.
        var largestGap: UInt64
        var gapIsStale: Bool
    }

    static let chunkCapacity = 64
    /// One change splits at most three regions or chunks.
    private static var reserveSize: Int { 4 }

    private var directory: UnsafeMutablePointer<UnsafeMutablePointer<Chunk>>?
    private var directoryCapacity = 0
    private(set) var chunkCount = 0
    /// Chunks for the next changes. They are not touched before they are needed: each is a page.
    private var spares = InlineArray<4, UnsafeMutablePointer<Chunk>?>(repeating: nil)
    private var spareCount = 0
    /// How many regions there are.
    private(set) var count = 0

    // MARK: Looking

    @inline(__always)
    private func regions(_ chunk: Int) -> UnsafeMutablePointer<Region> {
        RegionList.regions(directory![chunk])
    }

    @inline(__always)
    private static func regions(_ chunk: UnsafeMutablePointer<Chunk>)
        -> UnsafeMutablePointer<Region>
    {
        UnsafeMutableRawPointer(chunk + 1).assumingMemoryBound(to: Region.self)
    }

    @inline(__always)
    subscript(position: Position) -> UnsafeMutablePointer<Region> {
        regions(position.chunk) + position.index
    }

    var first: Position { Position(chunk: 0, index: 0) }

    @inline(__always)
    func isEnd(_ position: Position) -> Bool { position.chunk >= chunkCount }

    @inline(__always)
    func next(_ position: Position) -> Position {
        position.index + 1 < directory![position.chunk].pointee.count
            ? Position(chunk: position.chunk, index: position.index + 1)
            : Position(chunk: position.chunk + 1, index: 0)
    }

    /// The region before, nil at the beginning.
    @inline(__always)
    func previous(_ position: Position) -> Position? {
        if position.index > 0 {
            return Position(chunk: position.chunk, index: position.index - 1)
        }
        guard position.chunk > 0 else { return nil }
        return Position(
            chunk: position.chunk - 1,
            index: directory![position.chunk - 1].pointee.count - 1
        )
    }

    /// The first region that ends above `address`.
    @_optimize(speed)
    func position(above address: UInt64) -> Position {
        // The last chunk that begins at or below holds it, or it is the next chunk's first.
        var low = 0
        var high = chunkCount
        while low < high {
            let middle = (low + high) / 2
            if regions(middle)[0].start <= address { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return first }
        let chunk = low - 1
        let base = regions(chunk)
        var from = 0
        var to = directory![chunk].pointee.count
        while from < to {
            let middle = (from + to) / 2
            if base[middle].end <= address { from = middle + 1 } else { to = middle }
        }
        return from < directory![chunk].pointee.count
            ? Position(chunk: chunk, index: from) : Position(chunk: low, index: 0)
    }

    /// The region that holds `address`.
    func find(_ address: UInt64) -> Position? {
        let position = position(above: address)
        guard !isEnd(position), self[position].pointee.start <= address else { return nil }
        return position
    }

    // MARK: Room

    /// The highest address in `bounds` with `length` free bytes, `nil` when there is none. Below
    /// a region that grows down its guard stays free.
    @_optimize(speed)
    func findRoom(_ length: UInt64, in bounds: Range<UInt64>) -> UInt64? {
        guard length <= bounds.upperBound - bounds.lowerBound else { return nil }
        var top = bounds.upperBound
        var cursor = position(above: bounds.upperBound - 1)
        if !isEnd(cursor) { top = min(top, guardedStart(self[cursor].pointee)) }
        while top >= bounds.lowerBound, top - bounds.lowerBound >= length {
            guard let below = previous(cursor) else { return top - length }
            let region = self[below].pointee
            if region.end <= top, top - region.end >= length { return top - length }
            cursor = Position(chunk: below.chunk, index: skipStart(below, length))
            top = min(top, guardedStart(self[cursor].pointee))
        }
        return nil
    }

    /// The chunk's first region when no gap inside the chunk is large enough.
    private func skipStart(_ position: Position, _ length: UInt64) -> Int {
        let chunk = directory![position.chunk]
        guard position.index == chunk.pointee.count - 1 else { return position.index }
        if chunk.pointee.gapIsStale { measureGaps(chunk) }
        return chunk.pointee.largestGap < length ? 0 : position.index
    }

    private func measureGaps(_ chunk: UnsafeMutablePointer<Chunk>) {
        let base = RegionList.regions(chunk)
        var largest: UInt64 = 0
        for index in 1..<max(chunk.pointee.count, 1) {
            largest = max(largest, base[index].start - base[index - 1].end)
        }
        chunk.pointee.largestGap = largest
        chunk.pointee.gapIsStale = false
    }

    private func guardedStart(_ region: Region) -> UInt64 {
        guard region.flags.contains(.growsDown) else { return region.start }
        return region.start > Layout.stackGuard ? region.start - Layout.stackGuard : 0
    }

    /// To be called when `start` or `end` of a region was changed in place.
    @inline(__always)
    func boundsChanged(_ position: Position) {
        directory![position.chunk].pointee.gapIsStale = true
    }

    // MARK: Changing

    /// Makes sure that the next change finds the memory that it needs.
    @_optimize(speed)
    mutating func reserve() throws(Errno) {
        while spareCount < RegionList.reserveSize { try addSpare() }
        guard directoryCapacity < chunkCount + RegionList.reserveSize else { return }
        let capacity = max(16, directoryCapacity * 2)
        let size = capacity * MemoryLayout<UnsafeMutablePointer<Chunk>>.stride
        guard let memory = KernelHeap.allocate(size) else { throw .noMemory }
        let grown = memory.assumingMemoryBound(to: UnsafeMutablePointer<Chunk>.self)
        if let directory {
            grown.update(from: directory, count: chunkCount)
            KernelHeap.free(UnsafeMutableRawPointer(directory))
        }
        directory = grown
        directoryCapacity = capacity
    }

    private mutating func addSpare() throws(Errno) {
        let size =
            MemoryLayout<Chunk>.stride
            + RegionList.chunkCapacity * MemoryLayout<Region>.stride
        guard let memory = KernelHeap.allocate(size) else { throw .noMemory }
        keepSpare(memory.assumingMemoryBound(to: Chunk.self))
    }

    private mutating func keepSpare(_ chunk: UnsafeMutablePointer<Chunk>) {
        spares[spareCount] = chunk
        spareCount += 1
    }

    private mutating func takeSpare() -> UnsafeMutablePointer<Chunk> {
        guard spareCount > 0, let chunk = spares[spareCount - 1] else {
            panic("a change of the mappings had no memory reserved")
        }
        spareCount -= 1
        chunk.initialize(to: Chunk(count: 0, largestGap: 0, gapIsStale: true))
        return chunk
    }

    /// Inserts before `position` and returns where the region now stands. After `reserve`.
    @_optimize(speed)
    mutating func insert(_ region: Region, at position: Position) -> Position {
        var position = position
        if chunkCount == 0 {
            addChunk(at: 0)
        } else if isEnd(position) {
            position = Position(
                chunk: chunkCount - 1,
                index: directory![chunkCount - 1].pointee.count
            )
        }
        if directory![position.chunk].pointee.count == RegionList.chunkCapacity {
            position = makeRoom(at: position)
        }
        let chunk = directory![position.chunk]
        let place = RegionList.regions(chunk) + position.index
        let moved = chunk.pointee.count - position.index
        if moved > 0 { (place + 1).update(from: place, count: moved) }
        place.pointee = region
        chunk.pointee.count += 1
        chunk.pointee.gapIsStale = true
        count += 1
        return position
    }

    private mutating func addChunk(at index: Int) {
        let chunk = takeSpare()
        let place = directory! + index
        if index < chunkCount { (place + 1).update(from: place, count: chunkCount - index) }
        place.pointee = chunk
        chunkCount += 1
    }

    /// Moves a full chunk's upper half to a new one; a position at its very end goes there alone,
    /// so that ascending mappings fill chunks.
    private mutating func makeRoom(at position: Position) -> Position {
        let full = directory![position.chunk]
        addChunk(at: position.chunk + 1)
        if position.index == RegionList.chunkCapacity {
            return Position(chunk: position.chunk + 1, index: 0)
        }
        let half = RegionList.chunkCapacity / 2
        let fresh = directory![position.chunk + 1]
        RegionList.regions(fresh).update(from: RegionList.regions(full) + half, count: half)
        fresh.pointee.count = half
        full.pointee.count = half
        full.pointee.gapIsStale = true
        return position.index <= half
            ? position : Position(chunk: position.chunk + 1, index: position.index - half)
    }

    /// Removes a region and returns the position of the one behind it.
    @_optimize(speed)
    mutating func remove(at position: Position) -> Position {
        let chunk = directory![position.chunk]
        let place = RegionList.regions(chunk) + position.index
        let moved = chunk.pointee.count - position.index - 1
        if moved > 0 { place.update(from: place + 1, count: moved) }
        chunk.pointee.count -= 1
        chunk.pointee.gapIsStale = true
        count -= 1
        guard chunk.pointee.count > 0 else {
            removeChunk(position.chunk)
            return Position(chunk: position.chunk, index: 0)
        }
        joinNext(position.chunk)
        return position.index < directory![position.chunk].pointee.count
            ? position : Position(chunk: position.chunk + 1, index: 0)
    }

    /// Takes the next chunk in when both are nearly empty.
    private mutating func joinNext(_ index: Int) {
        guard index + 1 < chunkCount else { return }
        let chunk = directory![index]
        let next = directory![index + 1]
        let count = chunk.pointee.count
        guard count + next.pointee.count <= RegionList.chunkCapacity / 2 else { return }
        (RegionList.regions(chunk) + count)
            .update(from: RegionList.regions(next), count: next.pointee.count)
        chunk.pointee.count += next.pointee.count
        removeChunk(index + 1)
    }

    private mutating func removeChunk(_ index: Int) {
        let chunk = directory![index]
        let place = directory! + index
        chunkCount -= 1
        if index < chunkCount { place.update(from: place + 1, count: chunkCount - index) }
        if spareCount < RegionList.reserveSize {
            keepSpare(chunk)
        } else {
            KernelHeap.free(UnsafeMutableRawPointer(chunk))
        }
    }

    /// Fills an empty list with the regions of another. Throws `noMemory`, and is then empty.
    mutating func copy(_ other: RegionList) throws(Errno) {
        do throws(Errno) {
            for index in 0..<other.chunkCount {
                try reserve()
                addChunk(at: index)
                let source = other.directory![index]
                let target = directory![index]
                target.pointee = source.pointee
                RegionList.regions(target)
                    .update(from: RegionList.regions(source), count: source.pointee.count)
            }
        } catch {
            removeAll()
            throw error
        }
        count = other.count
    }

    /// Frees the list's memory; the regions are gone without ceremony.
    mutating func removeAll() {
        for index in 0..<chunkCount { KernelHeap.free(UnsafeMutableRawPointer(directory![index])) }
        while spareCount > 0 { KernelHeap.free(UnsafeMutableRawPointer(takeSpare())) }
        if let directory { KernelHeap.free(UnsafeMutableRawPointer(directory)) }
        self = RegionList()
    }
}
