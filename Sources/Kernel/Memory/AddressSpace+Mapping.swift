import LinuxABI
import LoaderCore
import Platform

/// mmap(2) and munmap(2).
extension AddressSpace {
    /// Maps `length` bytes of `source` and returns where. Flags that do not concern the kind of
    /// source (MAP_ANONYMOUS and such) were dealt with by the caller.
    ///
    /// Errors as mmap(2); besides, mapping over stubs or the vDSO is `noMemory`: they are the
    /// kernel's, and the program cannot know what it would destroy.
    @_optimize(speed)
    public func map(
        at hint: UInt64,
        length: UInt64,
        protection: MappingProtection,
        flags: MappingFlags,
        source: MappingSource,
        offset: UInt64
    ) throws(Errno) -> UInt64 {
        guard KernelHeap.hasReserve() else { throw .noMemory }
        guard length > 0 else { throw .invalidArgument }
        let size = (length &+ UInt64(pageMask)) & ~UInt64(pageMask)
        guard size >= length else { throw .noMemory }
        try AddressSpace.checkOffset(offset, size, source)
        guard !flags.contains(.hugePages) else { throw .noMemory }
        let start = try place(hint, size, flags)
        var region = Region(
            start: start,
            end: start + size,
            offset: start,
            source: nil,
            protection: protection,
            flags: []
        )
        try describe(&region, flags, source, offset)
        let source = region.source
        defer { source?.release() }
        try install(&region, isAccounted: !flags.contains(.withoutReserve))
        if let source, !region.isShared || !flags.contains(.anonymous) {
            lastSource = source.takeUnretainedValue()
        }
        if flags.contains(.populate) && !flags.contains(.nonBlocking) || region.isLocked {
            populate(start, start + size, forWriting: nil)
        }
        return start
    }

    /// No file goes beyond 2^63 bytes; elsewhere the offset only must not wrap.
    private static func checkOffset(_ offset: UInt64, _ size: UInt64, _ source: MappingSource)
        throws(Errno)
    {
        let (end, overflow) = offset.addingReportingOverflow(size)
        guard !overflow else { throw .valueTooLarge }
        if case .file = source, end > UInt64(Int64.max) { throw .valueTooLarge }
    }

    // MARK: Where

    private func place(_ hint: UInt64, _ size: UInt64, _ flags: MappingFlags) throws(Errno)
        -> UInt64
    {
        let isFixed = !flags.isDisjoint(with: [.fixed, .fixedWithoutReplacing])
        guard size <= Layout.high.upperBound else { throw .noMemory }
        guard isFixed else { return try findRoom(hint, size, isLow: flags.contains(.low)) }
        try checkFixed(hint, size)
        let isFree = isFree(hint..<(hint + size))
        if flags.contains(.fixedWithoutReplacing), !isFree { throw .fileExists }
        if !isFree, hasKernelOwned(hint, hint + size) { throw .noMemory }
        return hint
    }

    func checkFixed(_ start: UInt64, _ size: UInt64) throws(Errno) {
        guard start & UInt64(pageMask) == 0 else { throw .invalidArgument }
        guard start <= Layout.high.upperBound, size <= Layout.high.upperBound - start else {
            throw .noMemory
        }
        guard start >= Layout.lowest else { throw .notPermitted }
        guard Layout.isProgram(start, start + size) else { throw .noMemory }
    }

    /// The hint where it is free, else the highest room below the mmap area's top.
    @_optimize(speed)
    func findRoom(_ hint: UInt64, _ size: UInt64, isLow: Bool = false) throws(Errno) -> UInt64 {
        let hint = hint & ~UInt64(pageMask)
        if isLow {
            let bottom = max(Layout.low.lowerBound, lowHeapEnd)
            if bottom < Layout.low.upperBound,
                let start = regions.findRoom(size, in: bottom..<Layout.low.upperBound)
            {
                return start
            }
            throw .noMemory
        }
        if hint >= Layout.lowest, hint < Layout.high.upperBound,
            size <= Layout.high.upperBound - hint, Layout.isProgram(hint, hint + size),
            isFree(hint..<(hint + size)), !isInStackRoom(hint, hint + size)
        {
            return hint
        }
        guard let start = regions.findRoom(size, in: Layout.high.lowerBound..<mapTop) else {
            throw .noMemory
        }
        return start
    }

    /// Where MAP_32BIT may begin: above a heap in the low area, with room for it to grow.
    private var lowHeapEnd: UInt64 {
        guard heap.upperBound < Layout.low.upperBound, heap.lowerBound > 0 else { return 0 }
        return (heap.upperBound + (64 << 20) + UInt64(pageMask)) & ~UInt64(pageMask)
    }

    private func isInStackRoom(_ start: UInt64, _ end: UInt64) -> Bool {
        start < stackRoom.upperBound && end > stackRoom.lowerBound - Layout.stackGuard
    }

    /// Whether nothing at all is mapped in a range.
    public func isFree(_ range: Range<UInt64>) -> Bool {
        let position = regions.position(above: range.lowerBound)
        return regions.isEnd(position) || regions[position].pointee.start >= range.upperBound
    }

    func hasKernelOwned(_ start: UInt64, _ end: UInt64) -> Bool {
        var found = false
        forEachRegion(from: start, to: end) { if $0.pointee.isKernelOwned { found = true } }
        return found
    }

    // MARK: What

    @_optimize(speed)
    private func describe(
        _ region: inout Region,
        _ flags: MappingFlags,
        _ source: MappingSource,
        _ offset: UInt64
    ) throws(Errno) {
        let isShared = flags.contains(.shared)
        if flags.contains(.growsDown) {
            guard case .anonymous = source, !isShared else { throw .invalidArgument }
            region.flags.insert(.growsDown)
        }
        if flags.contains(.locked) || locksNewMappings {
            if flags.contains(.locked), AddressSpace.limit(.lockedMemory) == 0 {
                throw .notPermitted
            }
            try checkLockLimit(region.pages, or: .wouldBlock)
            region.flags.insert(.locked)
        }
        switch source {
        case .anonymous:
            guard isShared else {
                if region.protection.isEmpty { region.flags.insert(.unbacked) }
                return
            }
            let memory = try SharedMemory.make(size: region.length)
            region.flags.insert(.shared)
            region.offset = 0
            region.source = shareSource(memory, memory, true, true)
        case .file(let object, let name, let mayWrite, let mayExecute):
            if isShared {
                region.flags.insert(.shared)
                let mayWrite = mayWrite && object.allowsSharedWriting
                guard object.allowsSharedWriting || !region.protection.contains(.write) else {
                    throw .noSuchDevice
                }
                guard mayWrite || !region.protection.contains(.write) else {
                    throw .permissionDenied
                }
                let isSealed = object.forbidsWriting
                guard !isSealed || !region.protection.contains(.write) else { throw .notPermitted }
                if !mayWrite || isSealed { region.flags.insert(.mayNotWrite) }
            }
            if !mayExecute {
                guard !region.protection.contains(.execute) else { throw .notPermitted }
                region.flags.insert(.mayNotExecute)
            }
            region.offset = offset
            region.source = shareSource(object, name, mayWrite, mayExecute)
        }
    }

    /// The source of an earlier mapping of the same open file, so that neighbours can join; else a
    /// new one. Retained for the caller.
    private func shareSource(
        _ object: any Mappable,
        _ name: any MappedName,
        _ mayWrite: Bool,
        _ mayExecute: Bool
    ) -> Unmanaged<MappedSource> {
        if let lastSource, lastSource.isSame(object, name, mayWrite, mayExecute) {
            return Unmanaged.passRetained(lastSource)
        }
        return Unmanaged.passRetained(
            MappedSource(object, name, mayWrite: mayWrite, mayExecute: mayExecute)
        )
    }

    /// Puts a region in place of what is there, on the platform too.
    ///
    /// Linux's heuristic overcommit: more than all memory in one piece is refused, unless the
    /// program says that it will not use it (MAP_NORESERVE).
    @_optimize(speed)
    func install(_ region: inout Region, isAccounted: Bool = true) throws(Errno) {
        let position = regions.position(above: region.start)
        let replaced = replacedPages(position, region.start, region.end)
        if isAccounted, region.isData, region.source == nil,
            region.length > boot.pointee.memory_size
        {
            throw .noMemory
        }
        let added = region.length - UInt64(replaced.total) << 12
        if UInt64(region.pages) > replaced.total {
            try checkLimits(added, isData: false)
        }
        if region.isData {
            let pages = UInt64(dataPages) + UInt64(region.pages) - UInt64(replaced.data)
            if pages > AddressSpace.limit(.data) >> 12 { throw .noMemory }
        }
        try reserveRegions(3)
        let clears = region.source != nil || region.flags.contains(.unbacked)
        if replaced.total > 0 {
            removeRegions(region.start, region.end, from: position, unmaps: clears)
        }
        do throws(Errno) {
            try mapPages(&region, from: region.start, to: region.end)
        } catch {
            _ = machine.pointee.unmap(region.start, region.length)
            throw error
        }
        insert(region, at: replaced.total > 0 ? regions.position(above: region.start) : position)
    }

    /// Pages in a range that a new mapping would replace, from the first region above its start.
    private func replacedPages(
        _ first: RegionList.Position,
        _ start: UInt64,
        _ end: UInt64
    ) -> (total: Int, data: Int) {
        var (total, data) = (0, 0)
        var position = first
        while !regions.isEnd(position), regions[position].pointee.start < end {
            let region = regions[position]
            let pages = Int((min(region.pointee.end, end) - max(region.pointee.start, start)) >> 12)
            total += pages
            if region.pointee.isData { data += pages }
            position = regions.next(position)
        }
        return (total, data)
    }

    /// Whether a shared mapping of an object is writable anywhere, or could be made so.
    static func mayWrite(_ object: any Mappable) -> Bool {
        guard object.mappedRegions > 0 else { return false }
        var found = false
        unowned(unsafe) var cursor = AddressSpace.firstSpace
        while let space = cursor {
            cursor = space.nextSpace
            space.forEachRegion(from: 0, to: .max) { region in
                guard region.pointee.isShared, !region.pointee.flags.contains(.mayNotWrite),
                    let source = region.pointee.source
                else { return }
                if source.takeUnretainedValue().object === object { found = true }
            }
        }
        return found
    }

    // MARK: Unmapping

    /// As munmap(2). Stubs and the vDSO in the range stay: the program does not know of them.
    @_optimize(speed)
    public func unmap(_ start: UInt64, length: UInt64) throws(Errno) {
        let range = try PageRange(start, length, overflow: .invalidArgument)
        guard !range.isEmpty, range.end <= Layout.high.upperBound else { throw .invalidArgument }
        // Only a hole in the middle of one region makes one more.
        let position = regions.position(above: range.start)
        if !regions.isEnd(position), regions[position].pointee.start < range.start,
            regions[position].pointee.end > range.end
        {
            try reserveRegions(1)
        } else {
            try regions.reserve()
        }
        removeRegions(range.start, range.end, from: position, unmaps: true)
    }

    /// Removes the regions in a range; `unmaps` tells the platform too. After `reserve`.
    @_optimize(speed)
    func removeRegions(_ start: UInt64, _ end: UInt64, unmaps: Bool) {
        removeRegions(start, end, from: regions.position(above: start), unmaps: unmaps)
    }

    /// The same where the first region above the range's start is known.
    @_optimize(speed)
    private func removeRegions(
        _ start: UInt64,
        _ end: UInt64,
        from first: RegionList.Position,
        unmaps: Bool
    ) {
        var position = first
        guard !regions.isEnd(position), regions[position].pointee.start < end else { return }
        let first = regions[position]
        // Most ranges are one region: then nothing has to be looked up again.
        if first.pointee.isText || first.pointee.end < end { announceTextLoss(start, end) }
        if first.pointee.start < start || first.pointee.end != end {
            split(at: start)
            split(at: end)
            position = regions.position(above: start)
        }
        var pending: Range<UInt64> = 0..<0
        while !regions.isEnd(position), regions[position].pointee.start < end {
            let region = regions[position].pointee
            guard !region.isKernelOwned else {
                position = regions.next(position)
                continue
            }
            if unmaps, !region.flags.contains(.unbacked) { AddressSpace.unmap(region, &pending) }
            account(region, -1)
            dropSource(region.source)
            position = regions.remove(at: position)
        }
        if !pending.isEmpty { unmapPages(pending) }
    }

    /// Collects neighbours, so that the platform is asked once.
    @_optimize(speed)
    private static func unmap(_ region: Region, _ pending: inout Range<UInt64>) {
        if pending.upperBound == region.start, !pending.isEmpty {
            pending = pending.lowerBound..<region.end
            return
        }
        if !pending.isEmpty {
            _ = machine.pointee.unmap(
                pending.lowerBound,
                pending.upperBound - pending.lowerBound
            )
        }
        pending = region.start..<region.end
    }

    private func unmapPages(_ range: Range<UInt64>) {
        _ = machine.pointee.unmap(range.lowerBound, range.upperBound - range.lowerBound)
    }

    /// Removes every mapping that is the program's, for execve(2) and exit.
    public func removeAll() {
        forEachRegion(from: 0, to: .max) {
            if !$0.pointee.flags.contains(.vdso) { $0.pointee.flags.remove(.kernelOwned) }
        }
        // Nothing lies beyond the ends, so nothing is split and no memory is needed.
        removeRegions(0, UInt64.max & ~UInt64(pageMask), unmaps: true)
        heap = 0..<0
        locksNewMappings = false
    }

    /// Tells the rewriter of text in a range that will be gone.
    func announceTextLoss(_ start: UInt64, _ end: UInt64) {
        guard let textKeeper else { return }
        forEachText(start, end) { textKeeper.textWillVanish($0) }
    }

    /// Tells it of text in a range that will be writable, or move.
    func announceTextShown(_ start: UInt64, _ end: UInt64) {
        guard let textKeeper else { return }
        forEachText(start, end) { textKeeper.textWillShow($0) }
    }

    /// Calls `body` with the text in a range, piece by piece. It changes no mapping.
    func forEachText(_ start: UInt64, _ end: UInt64, _ body: (Range<UInt64>) -> Void) {
        var position = regions.position(above: start)
        while !regions.isEnd(position), regions[position].pointee.start < end {
            let region = regions[position].pointee
            position = regions.next(position)
            guard region.isText, !region.isKernelOwned else { continue }
            body(max(region.start, start)..<min(region.end, end))
        }
    }
}
