import LinuxABI
import LoaderCore
import Platform

/// mremap(2).
extension AddressSpace {
    /// Resizes or moves a mapping and returns where it is. `target` counts with `.fixed` only.
    public func remap(
        _ start: UInt64,
        from oldLength: UInt64,
        to newLength: UInt64,
        flags: RemapFlags,
        at target: UInt64
    ) throws(Errno) -> UInt64 {
        guard flags.isSubset(of: .all) else { throw .invalidArgument }
        if !flags.isDisjoint(with: [.fixed, .keepsOld]), !flags.contains(.mayMove) {
            throw .invalidArgument
        }
        let old = try PageRange(start, oldLength, overflow: .invalidArgument)
        let newSize = (newLength &+ UInt64(pageMask)) & ~UInt64(pageMask)
        guard newLength > 0, newSize >= newLength else { throw .invalidArgument }
        if flags.contains(.keepsOld), old.length != newSize { throw .invalidArgument }
        guard let position = regions.find(start), !regions[position].pointee.isKernelOwned else {
            throw .badAddress
        }
        if !flags.isDisjoint(with: [.fixed, .keepsOld]) {
            return try remapTo(old, newSize, flags, target)
        }
        if old.length >= newSize {
            if old.length > newSize {
                try unmap(start + newSize, length: old.length - newSize)
            }
            return start
        }
        try checkResize(regions[position].pointee, old, newSize)
        if try growInPlace(position, old, newSize) { return start }
        guard flags.contains(.mayMove) else { throw .noMemory }
        return try move(old, newSize, to: findRoom(0, newSize), keepsOld: false)
    }

    /// What may be resized: one region that holds all of the old range, within the limits.
    private func checkResize(_ region: Region, _ old: PageRange, _ newSize: UInt64) throws(Errno) {
        guard !old.isEmpty || region.isShared else { throw .invalidArgument }
        guard old.end <= region.end else { throw .badAddress }
        guard newSize > old.length else { return }
        let growth = newSize - old.length
        guard !region.offset(of: old.start).addingReportingOverflow(newSize).overflow else {
            throw .invalidArgument
        }
        if region.isLocked { try checkLockLimit(Int(growth >> 12), or: .wouldBlock) }
        try checkLimits(growth, isData: region.isData)
    }

    private func growInPlace(
        _ position: RegionList.Position,
        _ old: PageRange,
        _ newSize: UInt64
    ) throws(Errno) -> Bool {
        var addition = regions[position].pointee
        let end = old.start &+ newSize
        guard !old.isEmpty, old.end == addition.end, end > old.end,
            Layout.isProgram(old.start, end), isFree(old.end..<end)
        else { return false }
        addition.offset = addition.offset(of: old.end)
        addition.start = old.end
        addition.end = end
        try reserveRegions(1)
        try mapPages(&addition, from: old.end, to: end)
        insert(addition)
        if addition.isLocked { populate(addition.start, addition.end, forWriting: nil) }
        return true
    }

    private func remapTo(
        _ old: PageRange,
        _ newSize: UInt64,
        _ flags: RemapFlags,
        _ target: UInt64
    ) throws(Errno) -> UInt64 {
        var old = old
        var target = target
        try reserveRegions(4)
        if flags.contains(.fixed) {
            guard target & UInt64(pageMask) == 0, newSize <= Layout.high.upperBound,
                target <= Layout.high.upperBound - newSize
            else { throw .invalidArgument }
            guard target >= old.end || target + newSize <= old.start else {
                throw .invalidArgument
            }
            try checkFixed(target, newSize)
            guard !hasKernelOwned(target, target + newSize) else { throw .noMemory }
            removeRegions(target, target + newSize, unmaps: true)
            try reserveRegions(4)
        }
        if old.length > newSize {
            try unmap(old.start + newSize, length: old.length - newSize)
            old = try PageRange(old.start, newSize)
        }
        guard let position = regions.find(old.start) else { throw .badAddress }
        try checkResize(regions[position].pointee, old, newSize)
        if flags.contains(.keepsOld) {
            try checkLimits(newSize, isData: regions[position].pointee.isData)
        }
        if !flags.contains(.fixed) { target = try findRoom(target, newSize) }
        return try move(old, newSize, to: target, keepsOld: flags.contains(.keepsOld))
    }

    // MARK: Moving

    /// Moves `old` to free room of `newSize` bytes. An empty `old` leaves the old region and
    /// shows its object a second time.
    private func move(_ old: PageRange, _ newSize: UInt64, to target: UInt64, keepsOld: Bool)
        throws(Errno) -> UInt64
    {
        try reserveRegions(3)
        announceTextShown(old.start, old.end)
        split(at: old.start)
        split(at: old.end)
        guard let position = regions.find(old.start) else { throw .badAddress }
        let previous = regions[position].pointee
        var moved = previous
        moved.start = target
        moved.end = target + newSize
        moved.flags.remove(.growsDown)
        do throws(Errno) {
            try movePages(&moved, old)
        } catch {
            joinRegions(from: old.start, to: old.end)
            throw error
        }
        // The new region counts its source before the old one gives it up.
        insert(moved)
        if !old.isEmpty { try leave(old, keepsOld: keepsOld) }
        if moved.isLocked, newSize > old.length {
            populate(target + old.length, target + newSize, forWriting: nil)
        }
        return target
    }

    private func movePages(_ moved: inout Region, _ old: PageRange) throws(Errno) {
        guard !moved.flags.contains(.unbacked) else { return }
        if old.isEmpty { return try mapPages(&moved, from: moved.start, to: moved.end) }
        if moved.source == nil,
            machine.pointee.move(old.start, old.length, moved.start, moved.length) >= 0
        {
            return
        }
        // Pages of an object are several stretches to the platform, and so may anonymous memory
        // be that came from several places.
        let distance = moved.start &- old.start
        AddressSpace.forEachPiece(old.start, old.length) {
            machine.pointee.move($0, $1, $0 &+ distance, $1)
        }
        guard moved.length > old.length else { return }
        try mapPages(&moved, from: moved.start + old.length, to: moved.end)
    }

    /// Removes the old region, or leaves it empty with MREMAP_DONTUNMAP.
    private func leave(_ old: PageRange, keepsOld: Bool) throws(Errno) {
        guard let position = regions.find(old.start) else { return }
        let region = regions[position]
        if keepsOld {
            account(region.pointee, -1)
            region.pointee.flags.remove(.locked)
            account(region.pointee, 1)
            let (start, end) = (region.pointee.start, region.pointee.end)
            try mapPages(&region.pointee, from: start, to: end)
            return joinRegions(from: start, to: end)
        }
        account(region.pointee, -1)
        dropSource(region.pointee.source)
        _ = regions.remove(at: position)
    }
}

/// remap_file_pages(2), which Linux has as another mapping too.
extension AddressSpace {
    /// Shows other pages of the object that is mapped in a range, shared and in one piece.
    public func showOtherPages(_ start: UInt64, _ length: UInt64, page: UInt64) throws(Errno) {
        let start = start & ~UInt64(pageMask)
        let size = length & ~UInt64(pageMask)
        let (end, overflow) = start.addingReportingOverflow(size)
        guard !overflow, size > 0, !page.addingReportingOverflow(size >> 12).overflow,
            let position = regions.find(start)
        else { throw .invalidArgument }
        let region = regions[position].pointee
        guard region.isShared, let source = region.source?.takeUnretainedValue() else {
            throw .invalidArgument
        }
        var covered = region.end
        var next = regions.next(position)
        while covered < end {
            guard !regions.isEnd(next) else { throw .invalidArgument }
            let other = regions[next].pointee
            guard other.start == covered, other.isShared,
                other.source?.takeUnretainedValue().object === source.object,
                other.protection == region.protection
            else { throw .invalidArgument }
            covered = other.end
            next = regions.next(next)
        }
        _ = try map(
            at: start,
            length: size,
            protection: region.protection,
            flags: region.isLocked ? [.shared, .fixed, .locked] : [.shared, .fixed, .populate],
            source: .file(
                source.object,
                name: source.name,
                mayWrite: source.mayWrite,
                mayExecute: source.mayExecute
            ),
            offset: page << 12
        )
    }
}
