import LinuxABI
import LoaderCore
import Platform

/// What a fault turned out to be.
public enum FaultOutcome: Equatable {
    /// The access can be tried again.
    case resolved
    /// SIGSEGV with SEGV_MAPERR: nothing is mapped there.
    case notMapped
    /// SIGSEGV with SEGV_ACCERR: the mapping does not permit it.
    case notPermitted
    /// SIGBUS with BUS_ADRERR: beyond the end of the object, or its page cannot be had.
    case busError
    /// SIGKILL: there is no memory left for the page.
    case outOfMemory
}

/// Bringing pages in.
extension AddressSpace {
    /// Runs of an object that are mapped when the mapping is made; the rest comes with faults.
    private static let eagerRuns = 64
    /// Pages that a fault brings in at most, where they lie in one run.
    private static let faultPages = 512

    /// Maps on the platform what is there of part of a region that is not mapped yet.
    @_optimize(speed)
    func mapPages(_ region: inout Region, from start: UInt64, to end: UInt64) throws(Errno) {
        guard !region.flags.contains(.unbacked) else { return }
        guard let source = region.source?.takeUnretainedValue() else {
            try checked(
                machine.pointee.map_anonymous(
                    start,
                    end - start,
                    UInt32(region.protection.rawValue)
                )
            )
            return
        }
        var address = start
        var runs = 0
        while address < end {
            guard runs < AddressSpace.eagerRuns else {
                region.flags.insert(.incomplete)
                return
            }
            let limit = Int((end - address) >> 12)
            let found = try source.object.mappedPages(
                at: region.offset(of: address),
                limit: limit,
                allocating: false
            )
            runs += 1
            switch found {
            case .beyondEnd:
                region.flags.insert(.incomplete)
                return
            case .hole(let pages):
                region.flags.insert(.incomplete)
                address += UInt64(max(1, min(pages, limit))) << 12
            case .frames, .image:
                address += try mapRun(found, at: address, limit: limit, region)
            }
        }
    }

    /// Maps one run and returns its length in bytes.
    private func mapRun(
        _ run: MappedPages,
        at address: UInt64,
        limit: Int,
        _ region: Region
    ) throws(Errno) -> UInt64 {
        let protection = UInt32(region.protection.rawValue)
        switch run {
        case .frames(let frame, let pages):
            let length = UInt64(max(1, min(pages, limit))) << 12
            try checked(
                machine.pointee.map_memory(
                    address,
                    length,
                    frame.offset,
                    protection,
                    region.isShared ? 1 : 0
                )
            )
            return length
        case .image(let image, let offset, let pages):
            let length = UInt64(max(1, min(pages, limit))) << 12
            try checked(machine.pointee.map_image(address, length, image, offset, protection))
            return length
        case .hole, .beyondEnd: throw .inputOutputError
        }
    }

    // MARK: Faults

    /// Decides on a fault of the program, or of the kernel's copy routines on its behalf.
    ///
    /// It allocates at most the page that is missing, and keeps its stack use small: it may run
    /// on a signal stack.
    public func handleFault(_ address: UInt64, _ access: MemoryAccess) -> FaultOutcome {
        let position = regions.position(above: address)
        guard !regions.isEnd(position) else { return .notMapped }
        let region = regions[position]
        guard region.pointee.start <= address else {
            guard growStack(position, to: address) else { return .notMapped }
            faultCount += 1
            return .resolved
        }
        guard region.pointee.permits(access) else { return .notPermitted }
        guard region.pointee.source != nil, region.pointee.flags.contains(.incomplete) else {
            // The platform has the page: it was not the mapping that the access failed on.
            return .notPermitted
        }
        let outcome = bringIn(region.pointee, address & ~UInt64(pageMask))
        if outcome == .resolved { faultCount += 1 }
        return outcome
    }

    /// As above, for an access that a page fault's `error` tells: the bits of `page_fault_error`.
    public func handleFault(_ address: UInt64, error: UInt64) -> FaultOutcome {
        if error & UInt64(PAGE_FAULT_OUT_OF_MEMORY.rawValue) != 0 { return .outOfMemory }
        // A page of a file beyond its end that the host has mapped all the same.
        if error & UInt64(PAGE_FAULT_BEYOND_FILE.rawValue) != 0 { return .busError }
        if error & UInt64(PAGE_FAULT_FETCH.rawValue) != 0 { return handleFault(address, .execute) }
        let isWrite = error & UInt64(PAGE_FAULT_WRITE.rawValue) != 0
        return handleFault(address, isWrite ? .write : .read)
    }

    /// Maps the missing page at `address`, and what follows it in the same run.
    private func bringIn(_ region: Region, _ address: UInt64) -> FaultOutcome {
        let source = region.source!.takeUnretainedValue()
        let limit = min(Int((region.end - address) >> 12), AddressSpace.faultPages)
        do throws(Errno) {
            let offset = region.offset(of: address)
            // What follows may be mapped already, and private pages written: only shared pages,
            // of which there is one copy, are brought in many at a time.
            let found = try source.object.mappedPages(
                at: offset,
                limit: region.isShared ? limit : 1,
                allocating: true
            )
            if case .beyondEnd = found { return .busError }
            _ = try mapRun(found, at: address, limit: region.isShared ? limit : 1, region)
            return .resolved
        } catch {
            return error == .noMemory ? .outOfMemory : .busError
        }
    }

    // MARK: Pages that vanish

    /// Unmaps pages of an object wherever they are shown: it was truncated or a hole was punched.
    /// To be called before their frames are freed. They come back, or raise SIGBUS, on a fault.
    public static func pagesWillVanish(_ object: any Mappable, _ offsets: Range<UInt64>) {
        guard object.mappedRegions > 0 else { return }
        unowned(unsafe) var cursor = firstSpace
        while let space = cursor {
            space.hidePages(object, offsets)
            cursor = space.nextSpace
        }
    }

    private func hidePages(_ object: any Mappable, _ offsets: Range<UInt64>) {
        var position = regions.first
        while !regions.isEnd(position) {
            let region = regions[position]
            position = regions.next(position)
            guard let source = region.pointee.source?.takeUnretainedValue(),
                source.object === object
            else { continue }
            let first = max(offsets.lowerBound, region.pointee.offset)
            let last = min(offsets.upperBound, region.pointee.offset + region.pointee.length)
            guard first < last else { continue }
            let start = region.pointee.start + (first - region.pointee.offset)
            let length = (last - first + UInt64(pageMask)) & ~UInt64(pageMask)
            announceTextLoss(start, start + length)
            region.pointee.flags.insert(.incomplete)
            changeWhenActive(.unmap(start..<start + length))
        }
    }

    // MARK: Populating

    /// Touches pages so that they are there: MAP_POPULATE, mlock(2), MADV_POPULATE_READ and
    /// _WRITE. `forWriting` nil means as the protection permits. Throws what stopped it.
    func touchPages(_ start: UInt64, _ end: UInt64, forWriting: Bool?) throws(Errno) {
        var address = start
        while address < end {
            guard let position = regions.find(address) else { throw .noMemory }
            let region = regions[position].pointee
            let writes = forWriting ?? (region.protection.contains(.write) && !region.isShared)
            guard region.permits(writes ? .write : .read) else { throw .invalidArgument }
            while address < min(region.end, end) {
                try touch(UInt(address), writes)
                address += UInt64(pageSize)
            }
        }
    }

    private func touch(_ address: UInt, _ writes: Bool) throws(Errno) {
        var word: UInt32 = 0
        let pointer = UnsafeMutableRawPointer(bitPattern: address)
        let result =
            writes ? user_add_word(pointer, 0, &word) : user_load_word(pointer, &word)
        guard result == 0 else { throw .badAddress }
    }

    /// As `touchPages`, as far as it goes: what cannot be had is left for faults.
    func populate(_ start: UInt64, _ end: UInt64, forWriting: Bool?) {
        var address = start
        while address < end, let position = regions.find(address) {
            let region = regions[position].pointee
            let stop = min(region.end, end)
            if !region.protection.isEmpty {
                do throws(Errno) {
                    try touchPages(address, stop, forWriting: forWriting)
                } catch {
                    return
                }
            }
            address = stop
        }
    }
}
