import LinuxABI
import LoaderCore
import Platform

/// What the rewriter and the start need: code that may be patched, and mappings of the kernel's
/// own in the program's part.
extension AddressSpace {
    /// The mapping around `address` if it is private, file-backed, executable and not writable.
    public func patchableText(around address: UInt64) -> Range<UInt64>? {
        guard let position = regions.find(address) else { return nil }
        let region = regions[position].pointee
        guard region.isText, !region.isKernelOwned,
            region.protection.isSuperset(of: [.read, .execute]),
            !region.protection.contains(.write)
        else { return nil }
        return region.start..<region.end
    }

    /// Maps one page for stubs at exactly `address`, readable and executable.
    ///
    /// It is the kernel's: unmapping around it passes it over, and mapping or protecting it is
    /// refused as if nothing could ever be there. Throws `fileExists` when something is.
    /// `isOpen` leaves it as `openText` would, until `closeText`.
    public func mapStubPage(at address: UInt64, isOpen: Bool = false) throws(Errno) {
        let end = address &+ UInt64(pageSize)
        guard address & UInt64(pageMask) == 0, end > address else { throw .invalidArgument }
        let isInStubs = address >= Layout.lowStubs.lowerBound && end <= Layout.lowStubs.upperBound
        guard isInStubs || (address >= Layout.lowest && Layout.isProgram(address, end)) else {
            throw .noMemory
        }
        guard isFree(address..<end) else { throw .fileExists }
        guard end <= stackRoom.lowerBound || address >= stackRoom.upperBound else {
            throw .fileExists
        }
        try addKernelRegion(address, end, [.read, .execute], .kernelOwned, isOpen: isOpen)
    }

    private func addKernelRegion(
        _ start: UInt64,
        _ end: UInt64,
        _ protection: MappingProtection,
        _ flags: RegionFlags,
        isOpen: Bool = false
    ) throws(Errno) {
        var region = Region(
            start: start,
            end: end,
            offset: start,
            source: nil,
            protection: protection,
            flags: flags
        )
        try reserveRegions(1)
        if flags.contains(.vdso) {
            try checked(
                machine.pointee.map_memory(
                    start,
                    end - start,
                    VDSO.offset,
                    UInt32(protection.rawValue),
                    1
                )
            )
        } else if isOpen {
            let writable = PLATFORM_READ.rawValue | PLATFORM_WRITE.rawValue
            try checked(machine.pointee.map_anonymous(start, end - start, writable))
        } else {
            try mapPages(&region, from: start, to: end)
        }
        insert(region)
    }

    /// Maps the vDSO, which the program cannot change, and returns where; 0 when there is none.
    public func mapVDSO() throws(Errno) -> UInt64 {
        guard VDSO.size > 0 else { return 0 }
        let start = try findRoom(0, UInt64(VDSO.size))
        try addKernelRegion(
            start,
            start + UInt64(VDSO.size),
            [.read, .execute],
            [.kernelOwned, .vdso]
        )
        return start
    }

    /// Lends text or stubs for writing: the pages are writable and not executable while `body`
    /// runs. False, without calling `body`, when the range is neither, or not all there.
    public func withWritableText(
        _ range: Range<UInt64>,
        _ body: (UnsafeMutableRawPointer) -> Void
    ) -> Bool {
        let start = range.lowerBound & ~UInt64(pageMask)
        let end = (range.upperBound &+ UInt64(pageMask)) & ~UInt64(pageMask)
        guard start < end, openText(start..<end),
            let place = UnsafeMutableRawPointer(bitPattern: UInt(range.lowerBound))
        else { return false }
        body(place)
        closeText(start..<end)
        return true
    }

    /// The whole mapping of text or stubs around an address, whose pages begin and end with it.
    public func writableText(around address: UInt64) -> Range<UInt64>? {
        guard let position = regions.find(address) else { return nil }
        let region = regions[position].pointee
        let isStub = region.isKernelOwned && !region.flags.contains(.vdso)
        guard isStub || patchableText(around: address) != nil else { return nil }
        return region.start..<region.end
    }

    /// Makes whole pages of text or stubs writable and not executable, until `closeText`.
    public func openText(_ pages: Range<UInt64>) -> Bool {
        guard let text = writableText(around: pages.lowerBound), text.contains(pages.upperBound - 1)
        else { return false }
        let (start, length) = (pages.lowerBound, UInt64(pages.count))
        let writable = PLATFORM_READ.rawValue | PLATFORM_WRITE.rawValue
        if machine.pointee.protect(start, length, writable) >= 0 { return true }
        // Some of it is not there: what was changed goes back.
        AddressSpace.forEachPiece(start, length) {
            machine.pointee.protect($0, $1, AddressSpace.textProtection)
        }
        return false
    }

    /// Makes pages executable again that `openText` opened.
    public func closeText(_ pages: Range<UInt64>) {
        let length = UInt64(pages.count)
        guard
            machine.pointee.protect(pages.lowerBound, length, AddressSpace.textProtection) >= 0
        else { panic("text could not be made executable again") }
    }

    /// That of all text that may be patched, and of stubs.
    private static var textProtection: UInt32 {
        PLATFORM_READ.rawValue | PLATFORM_EXECUTE.rawValue
    }
}

extension AddressSpace {
    /// What a futex at an address in a shared mapping is known by; nil in private memory.
    func sharedKey(_ address: UInt) -> FutexKey? {
        guard let position = regions.find(UInt64(address)) else { return nil }
        let region = regions[position].pointee
        guard region.isShared, let source = region.source?.takeUnretainedValue() else { return nil }
        let object = Unmanaged.passUnretained(source.object as AnyObject).toOpaque()
        return FutexKey(
            space: UInt(bitPattern: object),
            offset: UInt(region.offset(of: UInt64(address)))
        )
    }
}

/// Keeps account of what was changed in a program's text: the rewriter's side of an address space.
public protocol TextKeeper: AnyObject {
    /// Executable pages of a file are about to be unmapped, replaced or read afresh.
    func textWillVanish(_ range: Range<UInt64>)
    /// Such pages are about to become writable, or to move: what was changed is put back.
    func textWillShow(_ range: Range<UInt64>)
    /// The address space is about to be copied.
    func prepareCopy()
    /// The keeper of a copy of the address space.
    func duplicate() -> any TextKeeper
}

/// One mapping as /proc/PID/maps tells it.
public struct MappingInformation {
    public enum Kind: Equatable {
        case anonymous, file, heap, stack, vdso, stubs
    }

    public let start: UInt64
    public let end: UInt64
    public let protection: MappingProtection
    public let isShared: Bool
    public let isLocked: Bool
    public let growsDown: Bool
    public let kind: Kind
    public let offset: UInt64
    public let device: UInt64
    public let inode: UInt64
    /// What tells the path of a file.
    public let name: (any MappedName)?
}

extension AddressSpace {
    public var mappingCount: Int { regions.count }

    /// The first mapping that ends above `address`; go on with its `end`.
    public func mapping(above address: UInt64) -> MappingInformation? {
        let position = regions.position(above: address)
        guard !regions.isEnd(position) else { return nil }
        let region = regions[position].pointee
        let source = region.source?.takeUnretainedValue()
        let identity = source?.object.mappedIdentity
        return MappingInformation(
            start: region.start,
            end: joinedEnd(position),
            protection: region.protection,
            isShared: region.isShared,
            isLocked: region.isLocked,
            growsDown: region.flags.contains(.growsDown),
            kind: kind(region),
            offset: source == nil ? 0 : region.offset,
            device: identity?.device ?? 0,
            inode: identity?.inode ?? 0,
            name: source?.name
        )
    }

    /// A reservation that the platform does not know is no mapping of its own to the program.
    private func joinedEnd(_ position: RegionList.Position) -> UInt64 {
        var last = regions[position].pointee
        var next = regions.next(position)
        while !regions.isEnd(next) {
            var following = regions[next].pointee
            following.flags.remove(.unbacked)
            var plain = last
            plain.flags.remove(.unbacked)
            guard plain.continues(in: following) else { break }
            last = following
            next = regions.next(next)
        }
        return last.end
    }

    private func kind(_ region: Region) -> MappingInformation.Kind {
        if region.flags.contains(.vdso) { return .vdso }
        if region.isKernelOwned { return .stubs }
        if region.source != nil { return .file }
        if region.start < heap.upperBound, region.end > heap.lowerBound { return .heap }
        return region.end == stackRoom.upperBound ? .stack : .anonymous
    }
}
