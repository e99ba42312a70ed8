import LinuxABI
import LoaderCore
import Platform

/// What grows: the heap of brk(2), the main stack, and MAP_GROWSDOWN.
extension AddressSpace {
    // MARK: Heap

    /// Says where the heap begins: after the program's image. Nothing is mapped yet.
    public func setHeapStart(_ start: UInt64) {
        heap = start..<start
    }

    /// As brk(2): moves the end of the heap and returns it; the old one when that is impossible.
    public func setBreak(_ end: UInt64) -> UInt64 {
        guard end >= heap.lowerBound, heap.lowerBound > 0 else { return heap.upperBound }
        let mask = UInt64(pageMask)
        let (sum, overflow) = end.addingReportingOverflow(mask)
        guard !overflow else { return heap.upperBound }
        let newEnd = sum & ~mask
        let oldEnd = (heap.upperBound + mask) & ~mask
        do throws(Errno) {
            if end > heap.upperBound, end - heap.lowerBound > AddressSpace.limit(.data) {
                throw .noMemory
            }
            if newEnd > oldEnd { try growHeap(oldEnd, newEnd) }
            if newEnd < oldEnd { try unmap(newEnd, length: oldEnd - newEnd) }
            heap = heap.lowerBound..<end
        } catch {}
        return heap.upperBound
    }

    private func growHeap(_ start: UInt64, _ end: UInt64) throws(Errno) {
        guard Layout.isProgram(start, end) else { throw .noMemory }
        // A page stays free above, as on Linux.
        let next = regions.position(above: start)
        if !regions.isEnd(next), regions[next].pointee.start < end + UInt64(pageSize) {
            throw .noMemory
        }
        var region = Region(
            start: start,
            end: end,
            offset: start,
            source: nil,
            protection: [.read, .write],
            flags: []
        )
        if locksNewMappings {
            try checkLockLimit(region.pages, or: .wouldBlock)
            region.flags.insert(.locked)
        }
        try install(&region)
        if region.isLocked { populate(start, end, forWriting: nil) }
    }

    // MARK: Stacks

    /// Maps the main stack at the top of its room and returns its end, where argv goes below.
    public func mapStack(isExecutable: Bool) throws(Errno) -> UInt64 {
        let top = stackRoom.upperBound
        var protection: MappingProtection = [.read, .write]
        if isExecutable { protection.insert(.execute) }
        var region = Region(
            start: top - Layout.stackStep - UInt64(pageSize),
            end: top,
            offset: top - Layout.stackStep - UInt64(pageSize),
            source: nil,
            protection: protection,
            flags: .growsDown
        )
        try install(&region)
        return top
    }

    /// Extends the stack above `address` down to it. False when it may not grow that far.
    func growStack(_ position: RegionList.Position, to address: UInt64) -> Bool {
        let region = regions[position]
        guard region.pointee.flags.contains(.growsDown) else { return false }
        let page = address & ~UInt64(pageMask)
        guard mayGrow(position, to: page) else { return false }
        var start = page
        let step = region.pointee.start - Layout.stackStep
        if region.pointee.end == stackRoom.upperBound, step < page, mayGrow(position, to: step) {
            start = step
        }
        return grow(position, to: start)
    }

    private func mayGrow(_ position: RegionList.Position, to start: UInt64) -> Bool {
        let region = regions[position].pointee
        guard start >= Layout.lowest, region.end - start <= AddressSpace.limit(.stack) else {
            return false
        }
        guard Layout.isProgram(start, region.end) else { return false }
        let growth = region.start - start
        do throws(Errno) {
            try checkLimits(growth, isData: false)
            if region.isLocked { try checkLockLimit(Int(growth >> 12), or: .noMemory) }
        } catch {
            return false
        }
        guard let previous = regions.previous(position) else { return true }
        let below = regions[previous].pointee
        let needsGuard = !below.protection.isEmpty && !below.flags.contains(.growsDown)
        return start >= below.end && (!needsGuard || start - below.end >= Layout.stackGuard)
    }

    private func grow(_ position: RegionList.Position, to start: UInt64) -> Bool {
        let region = regions[position]
        let growth = region.pointee.start - start
        let bits = UInt32(region.pointee.protection.rawValue)
        guard machine.pointee.map_anonymous(start, growth, bits) >= 0 else { return false }
        account(region.pointee, -1)
        region.pointee.start = start
        region.pointee.offset = region.pointee.offset &- growth
        account(region.pointee, 1)
        regions.boundsChanged(position)
        return true
    }
}
