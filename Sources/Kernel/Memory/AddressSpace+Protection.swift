import LinuxABI
import LoaderCore
import Platform

/// mprotect(2).
extension AddressSpace {
    /// Changes what a range permits; `bits` are mprotect's. As on Linux the part before a hole or
    /// a refusal is changed even when the call fails.
    @_optimize(speed)
    public func protect(_ start: UInt64, length: UInt64, bits: UInt32) throws(Errno) {
        let known =
            ProtectionBits.accesses | ProtectionBits.semaphore | ProtectionBits.growsDown
            | ProtectionBits.growsUp
        guard bits & ~known == 0, bits & ProtectionBits.growsUp == 0 else {
            throw .invalidArgument
        }
        let range = try PageRange(start, length)
        guard !range.isEmpty else { return }
        var start = range.start
        if bits & ProtectionBits.growsDown != 0 { start = try stackStart(range) }
        let protection = MappingProtection(rawValue: UInt8(bits & ProtectionBits.accesses))
        let (stop, failure) = protectableEnd(start, range.end, protection)
        if stop > start {
            try reserveRegions(2)
            try apply(protection, start, stop)
        }
        if let failure { throw failure }
    }

    /// PROT_GROWSDOWN reaches to the beginning of a mapping that grows down.
    private func stackStart(_ range: PageRange) throws(Errno) -> UInt64 {
        let position = regions.position(above: range.start)
        guard !regions.isEnd(position), regions[position].pointee.start < range.end else {
            throw .noMemory
        }
        let region = regions[position].pointee
        guard region.flags.contains(.growsDown) else { throw .invalidArgument }
        return region.start
    }

    /// How far a change may go, and what stops it there.
    private func protectableEnd(
        _ start: UInt64,
        _ end: UInt64,
        _ protection: MappingProtection
    ) -> (UInt64, Errno?) {
        var cursor = start
        var newData: UInt64 = 0
        var position = regions.position(above: start)
        while cursor < end {
            guard !regions.isEnd(position) else { return (cursor, .noMemory) }
            let region = regions[position].pointee
            guard region.start <= cursor, !region.isKernelOwned else { return (cursor, .noMemory) }
            if protection.contains(.write), region.flags.contains(.mayNotWrite) {
                return (cursor, .permissionDenied)
            }
            if protection.contains(.execute), region.flags.contains(.mayNotExecute) {
                return (cursor, .permissionDenied)
            }
            var changed = region
            changed.protection = protection
            if changed.isData, !region.isData {
                newData += (min(region.end, end) - cursor) >> 12
                let limit = AddressSpace.limit(.data) >> 12
                if UInt64(dataPages) + newData > limit { return (cursor, .noMemory) }
            }
            cursor = min(region.end, end)
            position = regions.next(position)
        }
        return (end, nil)
    }

    private func apply(_ protection: MappingProtection, _ start: UInt64, _ end: UInt64)
        throws(Errno)
    {
        if protection.contains(.write) { announceTextShown(start, end) }
        split(at: start)
        split(at: end)
        defer { joinRegions(from: start, to: end) }
        var position = regions.position(above: start)
        while !regions.isEnd(position), regions[position].pointee.start < end {
            let region = regions[position]
            position = regions.next(position)
            guard region.pointee.protection != protection else { continue }
            try applyOnPlatform(protection, region)
            account(region.pointee, -1)
            region.pointee.protection = protection
            if protection.contains(.write) { region.pointee.flags.insert(.wasWritable) }
            account(region.pointee, 1)
        }
    }

    private func applyOnPlatform(
        _ protection: MappingProtection,
        _ region: UnsafeMutablePointer<Region>
    ) throws(Errno) {
        let bits = UInt32(protection.rawValue)
        let (start, length) = (region.pointee.start, region.pointee.length)
        if region.pointee.flags.contains(.unbacked) {
            try checked(machine.pointee.map_anonymous(start, length, bits))
            region.pointee.flags.remove(.unbacked)
        } else if region.pointee.flags.contains(.incomplete) {
            AddressSpace.forEachPiece(start, length) { machine.pointee.protect($0, $1, bits) }
        } else {
            try checked(machine.pointee.protect(start, length, bits))
        }
    }

    /// Applies an operation to a range with holes that only the platform knows: where it refuses
    /// a stretch, halves of it are tried, down to single pages, which are left out.
    static func forEachPiece(
        _ start: UInt64,
        _ length: UInt64,
        _ operation: (UInt64, UInt64) -> Int64
    ) {
        var address = start
        let end = start + length
        var piece = length
        while address < end {
            if operation(address, piece) >= 0 {
                address += piece
                piece = end - address
            } else if piece > UInt64(pageSize) {
                piece = max(UInt64(pageSize), (piece / 2) & ~UInt64(pageMask))
            } else {
                address += UInt64(pageSize)
                piece = end - address
            }
        }
    }
}
