import CoreDump
import LinuxABI
import LoaderCore
import Platform

/// What a core holds of a program's memory: core(5), "Controlling which mappings are written to the
/// core dump".
extension AddressSpace {
    /// Stubs are the kernel's own, and nothing of the program.
    private func isDumped(_ region: Region) -> Bool {
        !region.isKernelOwned || region.flags.contains(.vdso)
    }

    var dumpedCount: Int {
        var count = 0
        forEachRegion(from: 0, to: .max) { if isDumped($0.pointee) { count += 1 } }
        return count
    }

    /// Calls `body` with each region and what a core holds of it.
    @inline(never)
    func forEachDumped(_ filter: CoreFilter, _ body: (Region, CoreSegment) -> Void) {
        var position = regions.first
        while !regions.isEnd(position) {
            let region = regions[position].pointee
            position = regions.next(position)
            guard isDumped(region) else { continue }
            var flags: UInt32 = 0
            if region.protection.contains(.read) { flags |= ELF.SegmentFlags.read }
            if region.protection.contains(.write) { flags |= ELF.SegmentFlags.write }
            if region.protection.contains(.execute) { flags |= ELF.SegmentFlags.execute }
            let segment = CoreSegment(
                start: region.start,
                length: region.length,
                dumped: dumpedLength(region, filter),
                flags: flags
            )
            body(region, segment)
        }
    }

    private func dumpedLength(_ region: Region, _ filter: CoreFilter) -> UInt64 {
        if region.flags.contains(.vdso) { return region.length }
        guard !region.flags.contains(.dontDump) else { return 0 }
        let object = region.source?.takeUnretainedValue()
        if region.isShared {
            let file = object?.name as? OpenFile
            let isNamed = file?.inode.map { $0.links > 0 } ?? false
            return filter.contains(isNamed ? .sharedFiles : .sharedMemory) ? region.length : 0
        }
        // Linux: what was written has pages of its own.
        let isOwn =
            object == nil ? !region.flags.contains(.unbacked) : region.flags.contains(.wasWritable)
        if isOwn, filter.contains(.privateMemory) { return region.length }
        guard object != nil else { return 0 }
        if filter.contains(.privateFiles) { return region.length }
        guard filter.contains(.headers), region.offset == 0, region.protection.contains(.read)
        else {
            return 0
        }
        let magic = try? UserPointer<UInt32>(UInt(region.start)).load()
        let isHeader = region.protection.contains(.execute) || magic == ELF.magic
        return isHeader ? UInt64(pageSize) : 0
    }

    // MARK: Pages

    func dumpPages(_ filter: CoreFilter, _ core: inout CoreStream) {
        guard let page = try? KernelBuffer(pageSize) else { return }
        // Pages that the platform does not know may be on the host's swap: so many are looked at.
        var unknown = boot.pointee.world == PLATFORM_VIRTUAL.rawValue ? 0 : 1 << 18
        forEachDumped(filter) { region, segment in
            let end = segment.start + segment.dumped
            guard end > segment.start else { return }
            if region.isText { announceTextShown(segment.start, end) }
            if region.protection.isEmpty { showPages(region, UInt32(PLATFORM_READ.rawValue)) }
            var address = segment.start
            while address < end {
                let limit = min(Int((end - address) >> 12), 512)
                let (count, isThere) = pages(of: region, at: address, limit: limit, &unknown)
                let next = address + UInt64(count) << 12
                if isThere {
                    dump(address..<next, page.bytes, &core)
                } else {
                    core.skip(next - address)
                }
                address = next
            }
            if region.protection.isEmpty { showPages(region, 0) }
        }
    }

    /// How many pages from an address on are alike in that they may hold something, or hold nothing.
    private func pages(
        of region: Region,
        at address: UInt64,
        limit: Int,
        _ unknown: inout Int
    ) -> (count: Int, isThere: Bool) {
        guard let object = region.source?.takeUnretainedValue().object else {
            let end = address + UInt64(limit) << 12
            if region.flags.contains(.vdso) || residentPages(address..<end) > 0 {
                return (limit, true)
            }
            guard unknown >= limit else { return (limit, false) }
            unknown -= limit
            return (limit, true)
        }
        guard region.isShared else { return (limit, true) }
        let offset = region.offset(of: address)
        let found = try? object.mappedPages(at: offset, limit: limit, allocating: false)
        switch found {
        case .frames(_, let pages), .image(_, _, let pages): return (min(pages, limit), true)
        case .hole(let pages): return (min(pages, limit), false)
        case .beyondEnd, nil: return (limit, false)
        }
    }

    private func showPages(_ region: Region, _ protection: UInt32) {
        AddressSpace.forEachPiece(region.start, region.length) {
            machine.pointee.protect($0, $1, protection)
        }
    }

    /// Pages that are zero, or cannot be read, are passed over.
    @inline(never)
    private func dump(
        _ range: Range<UInt64>,
        _ page: UnsafeMutableRawBufferPointer,
        _ core: inout CoreStream
    ) {
        var address = range.lowerBound
        while address < range.upperBound {
            let isRead = (try? UserMemory.read(page, at: UInt(address))) != nil
            if isRead, page.bindMemory(to: UInt64.self).contains(where: { $0 != 0 }) {
                core.append(UnsafeRawBufferPointer(page))
            } else {
                core.skip(UInt64(pageSize))
            }
            address += UInt64(pageSize)
        }
    }
}

/// Which mappings a core holds, the bits of /proc/PID/coredump_filter.
public struct CoreFilter: OptionSet {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    static var privateMemory: CoreFilter { CoreFilter(rawValue: 1) }
    static var sharedMemory: CoreFilter { CoreFilter(rawValue: 2) }
    static var privateFiles: CoreFilter { CoreFilter(rawValue: 4) }
    static var sharedFiles: CoreFilter { CoreFilter(rawValue: 8) }
    static var headers: CoreFilter { CoreFilter(rawValue: 16) }
    /// Those that a program has at first, with huge pages of its own.
    static var usual: CoreFilter { CoreFilter(rawValue: 0x33) }
    /// All that Linux knows: pages of huge-page files and of DAX besides.
    static var all: CoreFilter { CoreFilter(rawValue: 0x1ff) }
}

/// NT_FILE: the mappings of files.
struct FileNote {
    private(set) var size = 16
    private var count = 0

    init(_ space: AddressSpace) {
        FileNote.forEach(space) { _, path in
            size += 24 + path.count + 1
            count += 1
        }
    }

    func append(_ space: AddressSpace, _ core: inout CoreStream) {
        CoreNotes.beginFiles(count, size: size, &core)
        FileNote.forEach(space) { region, _ in
            core.append(region.start)
            core.append(region.end)
            core.append(region.offset >> 12)
        }
        FileNote.forEach(space) { _, path in
            path.withUnsafeBytes { core.append($0) }
            core.append(byte: 0)
        }
        core.pad()
    }

    @inline(never)
    private static func forEach(_ space: AddressSpace, _ body: (Region, [UInt8]) -> Void) {
        space.forEachRegion(from: 0, to: .max) {
            guard let source = $0.pointee.source?.takeUnretainedValue() else { return }
            var path: [UInt8] = []
            source.name.appendMappedPath(to: &path)
            body($0.pointee, path)
        }
    }
}
