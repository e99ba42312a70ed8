import LinuxABI
import LoaderCore
import Platform

/// madvise(2), mincore(2) and msync(2).
extension AddressSpace {
    /// Takes advice for a range. As on Linux holes are passed over and told at the end.
    public func advise(_ start: UInt64, length: UInt64, _ advice: MemoryAdvice) throws(Errno) {
        switch advice {
        // There is no page merging, and no compaction on request.
        case .mergeable, .unmergeable, .collapse: throw .invalidArgument
        default: break
        }
        let range = try PageRange(start, length, overflow: .invalidArgument)
        guard !range.isEmpty else { return }
        if advice == .populateRead || advice == .populateWrite {
            return try touchPages(range.start, range.end, forWriting: advice == .populateWrite)
        }
        if let change = AddressSpace.flagChange(advice) {
            try changeFlags(range, change.set, change.clear, advice)
        } else {
            var position = regions.position(above: range.start)
            while !regions.isEnd(position), regions[position].pointee.start < range.end {
                let region = regions[position].pointee
                let from = max(region.start, range.start)
                try advise(region, from, min(region.end, range.end), advice)
                position = regions.next(position)
            }
        }
        guard isCovered(range.start, range.end) else { throw .noMemory }
    }

    private static func flagChange(_ advice: MemoryAdvice)
        -> (set: RegionFlags, clear: RegionFlags)?
    {
        switch advice {
        case .dontFork: (.dontFork, [])
        case .doFork: ([], .dontFork)
        case .dontDump: (.dontDump, [])
        case .doDump: ([], .dontDump)
        case .wipeOnFork: (.wipeOnFork, [])
        case .keepOnFork: ([], .wipeOnFork)
        default: nil
        }
    }

    private func changeFlags(
        _ range: PageRange,
        _ set: RegionFlags,
        _ clear: RegionFlags,
        _ advice: MemoryAdvice
    ) throws(Errno) {
        var isAllowed = true
        forEachRegion(from: range.start, to: range.end) {
            let isShown = $0.pointee.source != nil
            if $0.pointee.isKernelOwned || (advice == .wipeOnFork && isShown) { isAllowed = false }
        }
        guard isAllowed else { throw .invalidArgument }
        try updateFlags(range.start, range.end, set, clear)
    }

    /// Sets and clears flags in a range, whose ends become ends of regions.
    func updateFlags(_ start: UInt64, _ end: UInt64, _ set: RegionFlags, _ clear: RegionFlags)
        throws(Errno)
    {
        try reserveRegions(2)
        split(at: start)
        split(at: end)
        forEachRegion(from: start, to: end) {
            guard !$0.pointee.isKernelOwned else { return }
            account($0.pointee, -1)
            $0.pointee.flags.formUnion(set)
            $0.pointee.flags.subtract(clear)
            account($0.pointee, 1)
        }
        joinRegions(from: start, to: end)
    }

    private func advise(
        _ region: Region,
        _ start: UInt64,
        _ end: UInt64,
        _ advice: MemoryAdvice
    ) throws(Errno) {
        switch advice {
        case .dontNeed, .dontNeedLocked:
            guard !region.isLocked || advice == .dontNeedLocked, !region.isKernelOwned else {
                throw .invalidArgument
            }
            // What is shared stays: the pages are the object's.
            if !region.isShared { discard(region, start, end) }
        case .free:
            guard region.source == nil, !region.isLocked, !region.isKernelOwned else {
                throw .invalidArgument
            }
            discard(region, start, end)
        case .remove:
            guard let source = region.source?.takeUnretainedValue(), !region.isLocked else {
                throw .invalidArgument
            }
            guard region.isShared, !region.flags.contains(.mayNotWrite) else {
                throw .permissionDenied
            }
            try source.object.removePages(at: region.offset(of: start), length: end - start)
        case .cold, .pageOut:
            guard !region.isLocked, !region.isKernelOwned else { throw .invalidArgument }
        default:
            // How memory will be used, which changes nothing here: mapped pages are not read
            // ahead, and huge pages are the platform's choice.
            break
        }
    }

    /// Throws the program's own copies away.
    private func discard(_ region: Region, _ start: UInt64, _ end: UInt64) {
        guard !region.flags.contains(.unbacked) else { return }
        announceTextLoss(start, end)
        _ = machine.pointee.discard(start, end - start)
    }

    // MARK: Residence

    /// As mincore(2): one byte a page to the program's `vector`.
    public func residence(_ start: UInt64, length: UInt64, into vector: UInt) throws(Errno) {
        let range = try PageRange(start, length)
        var output = vector
        var failure: Errno?
        guard isCovered(range.start, range.end) else { throw .noMemory }
        forEachResidence(range.start, range.end) { bytes in
            guard failure == nil else { return }
            do throws(Errno) { try UserMemory.write(bytes, at: output) } catch { failure = error }
            output &+= UInt(bytes.count)
        }
        if let failure { throw failure }
    }

    /// Pages in a range that are resident, for /proc/PID/smaps; none while the space is not active, for
    /// then the platform does not tell.
    public func residentPages(_ range: Range<UInt64>) -> Int {
        guard isActive else { return 0 }
        var count = 0
        forEachResidence(range.lowerBound, range.upperBound) { bytes in
            for byte in bytes where byte & 1 != 0 { count += 1 }
        }
        return count
    }

    /// Pages of private anonymous memory that are resident.
    var residentAnonymousPages: Int {
        var count = 0
        forEachRegion(from: 0, to: Layout.high.upperBound) { region in
            guard region.pointee.source == nil, !region.pointee.flags.contains(.unbacked) else {
                return
            }
            count += residentPages(region.pointee.start..<region.pointee.end)
        }
        return count
    }

    /// Calls `body` with a byte for each mapped page of a range, in pieces.
    private func forEachResidence(
        _ start: UInt64,
        _ end: UInt64,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        var bytes = InlineArray<512, UInt8>(repeating: 0)
        withUnsafeMutableBytes(of: &bytes) { buffer in
            let base = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
            forEachRegion(from: start, to: end) { region in
                var address = max(region.pointee.start, start)
                let stop = min(region.pointee.end, end)
                while address < stop {
                    let length = min(stop - address, UInt64(512 * pageSize))
                    AddressSpace.fillResidence(region.pointee, address, length, base)
                    body(UnsafeRawBufferPointer(start: base, count: Int(length >> 12)))
                    address += length
                }
            }
        }
    }

    private static func fillResidence(
        _ region: Region,
        _ start: UInt64,
        _ length: UInt64,
        _ bytes: UnsafeMutablePointer<UInt8>
    ) {
        bytes.update(repeating: 0, count: Int(length >> 12))
        guard !region.flags.contains(.unbacked) else { return }
        forEachPiece(start, length) { address, size in
            machine.pointee.resident(address, size, bytes + Int((address - start) >> 12))
        }
    }

    // MARK: Writing back

    /// As msync(2). Shared pages are the file's own, so only the file may have work to do.
    public func synchronize(_ start: UInt64, length: UInt64, _ flags: SynchronizeFlags)
        throws(Errno)
    {
        guard flags.isSubset(of: .all), !flags.isSuperset(of: [.asynchronous, .synchronous]) else {
            throw .invalidArgument
        }
        let range = try PageRange(start, length)
        var position = regions.position(above: range.start)
        while !regions.isEnd(position), regions[position].pointee.start < range.end {
            let region = regions[position].pointee
            if flags.contains(.invalidate), region.isLocked { throw .busy }
            if flags.contains(.synchronous), region.isShared, let source = region.source {
                let first = max(region.start, range.start)
                let last = min(region.end, range.end)
                try source.takeUnretainedValue().object.synchronizePages(
                    at: region.offset(of: first),
                    length: last - first
                )
            }
            position = regions.next(position)
        }
        guard isCovered(range.start, range.end) else { throw .noMemory }
    }
}
