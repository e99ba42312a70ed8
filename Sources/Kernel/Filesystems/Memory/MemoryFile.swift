import LinuxABI
import Platform

/// A regular file of tmpfs: pages of the machine's memory, holes, and what a lower layer has.
final class MemoryFile: Inode, Mappable {
    /// As ext4 with pages of 4 KiB.
    static let largestSize = 16 << 40
    /// What is written at once in one block of memory at most: 2 MiB.
    private static let largestOrder = 9

    unowned(unsafe) let memory: MemoryFilesystem
    private var pages = PageMap()
    /// Pages between the size and here were taken for what may follow, and are not told of.
    private var aheadEnd = 0
    /// What the pages without a frame hold below `lowerEnd`.
    private var lower: LowerFile?
    private var lowerEnd = 0
    var mappedRegions = 0
    /// Only what memfd_create(2) made can get more.
    var seals: FileSeals = .seal

    init(_ filesystem: MemoryFilesystem, _ node: NewNode, over lower: LowerFile? = nil) {
        memory = filesystem
        self.lower = lower
        super.init(
            filesystem,
            number: filesystem.newInodeNumber(),
            mode: node.mode,
            user: node.user,
            group: node.group
        )
        if let lower {
            size = min(max(lower.size, 0), MemoryFile.largestSize)
            lowerEnd = size
        }
    }

    deinit {
        freePages(from: 0, to: pages.end)
    }

    override var blocks: Int {
        let sizeInPages = (size + pageMask) >> 12
        let ahead = max(min(aheadEnd, pages.end) - sizeInPages, 0)
        let used = max(pages.count - ahead, 0)
        return (lower == nil ? used : max(used, sizeInPages)) * 8
    }

    override func open(_ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile {
        if flags.isWritable || flags.contains(.truncate) { try requireNotExecuting() }
        return RegularFile(self, dentry, flags)
    }

    override func setAttributes(_ change: AttributeChange) throws(Errno) {
        if seals.contains(.execution), let permissions = change.permissions,
            (permissions ^ mode.permissions) & 0o111 != 0
        {
            throw .notPermitted
        }
        try super.setAttributes(change)
    }

    // MARK: Reading

    @inline(__always)
    func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        let start = position
        guard start < size, transfer.remaining > 0 else { return 0 }
        let wanted = min(transfer.remaining, size &- start)
        let inPage = start & pageMask
        let frame = pages[start >> 12]
        if frame != 0, wanted <= pageSize &- inPage {
            let count = try transfer.give(Frame(number: frame).address + inPage, wanted)
            position = start &+ count
            return count
        }
        return try readPages(&transfer, &position, wanted)
    }

    @_optimize(speed)
    @inline(never)
    private func readPages(_ transfer: inout Transfer, _ position: inout Int, _ wanted: Int)
        throws(Errno) -> Int
    {
        var done = 0
        while done < wanted {
            let part = min(wanted - done, pageSize - position & pageMask)
            let count: Int
            do throws(Errno) {
                count = try readPart(&transfer, position, part, wanted - done)
            } catch {
                guard done > 0 else { throw error }
                return done
            }
            done += count
            position += count
            if count < part { break }
        }
        return done
    }

    @_optimize(speed)
    private func readPart(_ transfer: inout Transfer, _ position: Int, _ part: Int, _ rest: Int)
        throws(Errno) -> Int
    {
        let page = position >> 12
        let frame = pages[page]
        if frame != 0 {
            return try transfer.give(Frame(number: frame).address + position & pageMask, part)
        }
        guard let lower, position < lowerEnd else { return try transfer.giveZeroes(part) }
        // As much as has no frame is read at once.
        let limit = min(page + 16, (position + rest + pageMask) >> 12)
        let end = pages.next(page, hasFrame: true, limit: limit)
        let count = min(end << 12 - position, rest, lowerEnd - position)
        let buffer = try KernelBuffer(count)
        try lower.read(at: position, into: buffer.bytes)
        return try transfer.give(buffer.bytes.baseAddress!, count)
    }

    override func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer)
        throws(Errno) -> Int
    {
        guard offset >= 0 else { throw .invalidArgument }
        var transfer = Transfer(kernel: UnsafeRawBufferPointer(buffer))
        var position = offset
        return try read(&transfer, at: &position)
    }

    // MARK: Writing

    @inline(__always)
    func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        let start = position
        let inPage = start & pageMask
        let wanted = transfer.remaining
        if wanted > 0, wanted <= pageSize &- inPage, start &+ wanted <= size {
            let frame = pages[start >> 12]
            if frame != 0, mode.permissions & 0o6000 == 0, !seals.forbidsWriting {
                let count = try transfer.take(Frame(number: frame).address + inPage, wanted)
                position = start &+ count
                stampWritten()
                return count
            }
        }
        return try writePages(&transfer, &position)
    }

    @inline(__always)
    private func stampWritten() {
        modificationTime = CoarseClock.now()
        changeTime = modificationTime
    }

    @_optimize(speed)
    @inline(never)
    private func writePages(_ transfer: inout Transfer, _ position: inout Int) throws(Errno) -> Int
    {
        guard transfer.remaining > 0 else { return 0 }
        try limitSize(&transfer, position)
        guard !seals.forbidsWriting else { throw .notPermitted }
        if seals.contains(.grow), position + transfer.remaining > size {
            // Linux writes page by page: those that lie within.
            guard position >> 12 < size >> 12 else { throw .notPermitted }
            transfer.cap(size & ~pageMask - position)
        }
        dropSetIDs()
        var done = 0
        do throws(Errno) {
            while transfer.remaining > 0 {
                let part = min(transfer.remaining, pageSize - position & pageMask)
                let isWhole = part == pageSize
                let frame = try frame(
                    for: position >> 12,
                    wanting: transfer.remaining >> 12,
                    fill: !isWhole
                )
                let count = try transfer.take(frame.address + position & pageMask, part)
                done += count
                position += count
                size = max(size, position)
                if count < part { break }
            }
        } catch {
            if done == 0 { throw error }
        }
        stampWritten()
        return done
    }

    /// RLIMIT_FSIZE, and the largest file there can be. Throws `fileTooLarge`.
    private func limitSize(_ transfer: inout Transfer, _ position: Int) throws(Errno) {
        let limit = Process.current.limits[.fileSize].current
        let most = Int(min(limit, UInt64(MemoryFile.largestSize)))
        guard position < most else { throw .fileTooLarge }
        transfer.cap(most - position)
    }

    /// Who writes into a set-user-ID file and is not root takes the bits away: inode(7).
    private func dropSetIDs() {
        guard mode.permissions & 0o6000 != 0, !Actor.current.isRoot else { return }
        mode.permissions &= mode.permissions & 0o10 != 0 ? 0o1777 : 0o3777
    }

    /// The frame of a page, made if there is none: zero, or with `fill` what the layer below has.
    @_optimize(speed)
    private func frame(for page: Int, wanting: Int, fill: Bool) throws(Errno) -> Frame {
        let present = pages[page]
        if present != 0 { return Frame(number: present) }
        try pages.reserve(page)
        let order = blockOrder(page, wanting)
        let frame = try allocate(page, order)
        if fill { try fillFromLower(page, frame) }
        // Mappings that show the layer below show the page from now on.
        if page << 12 < lowerEnd { hidePages(UInt64(page << 12)..<UInt64((page + 1) << 12)) }
        return frame
    }

    /// Blocks grow with the file, so that a mapping of it is made of few pieces; they stay in the
    /// page's table, take no page that is there, and none that the layer below has.
    private func blockOrder(_ page: Int, _ wanting: Int) -> Int {
        guard page >= PageMap.inlineCount else { return 0 }
        var limit = PageMap.tableSize - page & 511
        let growth = page == pages.end ? page / 4 : 0
        limit = min(limit, max(wanting, growth, 1))
        if page << 12 < lowerEnd { limit = 1 }
        limit = pages.next(page, hasFrame: true, limit: page + limit) - page
        return min(Int.bitWidth - 1 - max(limit, 1).leadingZeroBitCount, MemoryFile.largestOrder)
    }

    private func allocate(_ page: Int, _ wantedOrder: Int) throws(Errno) -> Frame {
        var order = wantedOrder
        while true {
            do throws(Errno) {
                try memory.take(1 << order)
                do throws(Errno) {
                    let frame = try FrameAllocator.allocateZeroed(order: order)
                    for index in 0..<(1 << order) {
                        pages.set(page + index, frame.number + UInt32(index))
                    }
                    if page + (1 << order) == pages.end { aheadEnd = pages.end }
                    return frame
                } catch {
                    memory.give(1 << order)
                    throw .noSpace
                }
            } catch {
                guard order > 0 else { throw error }
                order = 0
            }
        }
    }

    private func fillFromLower(_ page: Int, _ frame: Frame) throws(Errno) {
        let start = page << 12
        guard let lower, start < lowerEnd else { return }
        let count = min(pageSize, lowerEnd - start)
        do throws(Errno) {
            try lower.read(
                at: start,
                into: UnsafeMutableRawBufferPointer(start: frame.address, count: count)
            )
        } catch {
            freePages(from: page, to: page + 1)
            throw error
        }
    }

    // MARK: Size and holes

    override func truncate(to newSize: Int) throws(Errno) {
        guard newSize <= MemoryFile.largestSize else { throw .fileTooLarge }
        if newSize != size, seals.contains(newSize < size ? .shrink : .grow) {
            throw .notPermitted
        }
        dropSetIDs()
        if newSize < size {
            try zeroTail(newSize)
            hidePages(UInt64((newSize + pageMask) & ~pageMask)..<UInt64(size + pageMask))
            freePages(from: (newSize + pageMask) >> 12, to: pages.end)
            lowerEnd = min(lowerEnd, newSize)
        }
        size = newSize
        stampWritten()
    }

    /// What follows the end in its page reads as zero when the file grows again.
    private func zeroTail(_ end: Int) throws(Errno) {
        guard end & pageMask != 0 else { return }
        let present = pages[end >> 12]
        if present == 0 { return }
        (Frame(number: present).address + end & pageMask).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: pageSize - end & pageMask
        )
    }

    /// Takes pages out of all mappings; they come back on a fault.
    private func hidePages(_ offsets: Range<UInt64>) {
        if mappedRegions > 0 { AddressSpace.pagesWillVanish(self, offsets) }
    }

    private func freePages(from first: Int, to end: Int) {
        memory.give(pages.giveFrames(from: first, to: end))
        if end >= aheadEnd { aheadEnd = min(aheadEnd, first) }
    }

    /// As fallocate(2) with FALLOC_FL_PUNCH_HOLE: the range reads as zero.
    func punchHole(_ range: Range<Int>) throws(Errno) {
        guard !seals.forbidsWriting else { throw .notPermitted }
        let range = range.lowerBound..<min(range.upperBound, size)
        guard !range.isEmpty else { return }
        let firstWhole = (range.lowerBound + pageMask) >> 12
        let endWhole = range.upperBound == size ? (size + pageMask) >> 12 : range.upperBound >> 12
        try zero(range.lowerBound..<min(firstWhole << 12, range.upperBound))
        if endWhole >= firstWhole {
            try zero(max(endWhole << 12, range.lowerBound)..<range.upperBound)
        }
        if firstWhole < endWhole {
            hidePages(UInt64(firstWhole << 12)..<UInt64(endWhole << 12))
            freePages(from: firstWhole, to: endWhole)
            var page = firstWhole
            // What the layer below has is hidden by pages of zeroes.
            while page < endWhole, page << 12 < lowerEnd {
                _ = try frame(for: page, wanting: 1, fill: false)
                page += 1
            }
        }
        stampWritten()
    }

    private func zero(_ range: Range<Int>) throws(Errno) {
        guard !range.isEmpty else { return }
        let page = range.lowerBound >> 12
        guard pages[page] != 0 || range.lowerBound < lowerEnd else { return }
        let frame = try frame(for: page, wanting: 1, fill: true)
        (frame.address + range.lowerBound & pageMask).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: range.count
        )
    }

    /// As fallocate(2) without flags: pages for a range, and the size at least its end.
    func allocate(_ range: Range<Int>, keepsSize: Bool) throws(Errno) {
        guard range.upperBound <= MemoryFile.largestSize else { throw .fileTooLarge }
        guard !seals.contains(.grow) || range.upperBound <= size else { throw .notPermitted }
        let end = (range.upperBound + pageMask) >> 12
        var page = range.lowerBound >> 12
        guard end - page <= memory.pageLimit - memory.usedPages + pages.count else {
            throw .noSpace
        }
        while page < end {
            _ = try frame(for: page, wanting: end - page, fill: true)
            page += 1
        }
        if !keepsSize { size = max(size, range.upperBound) }
        aheadEnd = 0
        stampWritten()
    }

    /// As lseek(2) with SEEK_DATA and SEEK_HOLE. Throws `noSuchDeviceOrAddress` at the end.
    func seek(_ offset: Int, toData: Bool) throws(Errno) -> Int {
        guard offset >= 0, offset < size else { throw .noSuchDeviceOrAddress }
        let limit = (size + pageMask) >> 12
        if offset < lowerEnd {
            if toData { return offset }
            let next = (lowerEnd + pageMask) & ~pageMask
            guard next < size else { return size }
            return try seek(next, toData: false)
        }
        let page = pages.next(offset >> 12, hasFrame: toData, limit: limit)
        if page == limit {
            guard !toData else { throw .noSuchDeviceOrAddress }
            return size
        }
        return max(offset, page << 12)
    }

    // MARK: Mapping

    var mappableSize: UInt64 { UInt64(size) }

    var forbidsWriting: Bool { seals.forbidsWriting }

    var mappedIdentity: (device: UInt64, inode: UInt64) { (filesystem.device, number) }

    func mappedPages(at offset: UInt64, limit: Int, allocating: Bool) throws(Errno) -> MappedPages {
        guard offset < UInt64(size) else { return .beyondEnd }
        let page = Int(offset >> 12)
        let end = min(page + max(limit, 1), (size + pageMask) >> 12)
        if pages[page] == 0 {
            if page << 12 < lowerEnd {
                let run = pages.next(
                    page,
                    hasFrame: true,
                    limit: min(end, (lowerEnd + pageMask) >> 12)
                )
                if !allocating, let place = lower!.image(at: page << 12, count: (run - page) << 12)
                {
                    return .image(place.image, offset: place.offset, pages: run - page)
                }
                _ = try frame(for: page, wanting: 1, fill: true)
            } else if allocating {
                _ = try frame(for: page, wanting: 1, fill: false)
            } else {
                return .hole(pages: pages.next(page, hasFrame: true, limit: end) - page)
            }
        }
        let first = pages[page]
        var count = 1
        while page + count < end, pages[page + count] == first + UInt32(count) { count += 1 }
        return .frames(Frame(number: first), pages: count)
    }

    func removePages(at offset: UInt64, length: UInt64) throws(Errno) {
        guard offset < UInt64(size) else { return }
        try punchHole(Int(offset)..<Int(min(UInt64(size), offset &+ length)))
    }
}
