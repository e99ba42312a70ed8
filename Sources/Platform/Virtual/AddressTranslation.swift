import Platform

/// The program's part of the page tables: what the contract's operations on its address space do in
/// a machine.
///
/// A mapping costs nothing but entries that are not present, whole gigabytes by one of them; pages
/// become present when they are touched. Where 2 MiB of anonymous memory are in one piece and memory is
/// plenty, that is one page; it is cut when a part of it is to be changed.
enum AddressTranslation {
    private static let noMemory: Int64 = -12
    /// Physical address of the top table.
    nonisolated(unsafe) private static var root: UInt64 = 0
    /// Where a frame's page was copied from, by frame of the machine's memory; zero for zero pages.
    nonisolated(unsafe) private static var origins = UnsafeMutablePointer<UInt64>(bitPattern: 4096)!

    /// Frames that the program's pages have now, and the most that they ever had.
    nonisolated(unsafe) private(set) static var residentPages = 0
    nonisolated(unsafe) private(set) static var mostResidentPages = 0

    static func start(root: UInt64, origins: UnsafeMutablePointer<UInt64>) {
        self.root = root
        self.origins = origins
    }

    // MARK: Operations of the contract

    static func mapAnonymous(_ start: UInt64, _ length: UInt64, _ protection: UInt32) -> Int64 {
        map(start, length, PageEntry(.anonymous, protection: protection))
    }

    static func mapMemory(
        _ start: UInt64,
        _ length: UInt64,
        _ offset: UInt64,
        _ protection: UInt32,
        _ isShared: UInt32
    ) -> Int64 {
        let kind: PageEntry.Kind = isShared != 0 ? .shared : .copied
        var done: UInt64 = 0
        while done < length {
            let run = MachineMemory.run(offset + done, length - done)
            let address = MachineMemory.physical(offset + done)
            let first = PageEntry(kind, at: address, protection: protection)
            let answer = map(start + done, run, first)
            guard answer >= 0 else { return answer }
            done += run
        }
        return 0
    }

    static func mapImage(
        _ start: UInt64,
        _ length: UInt64,
        _ image: UInt32,
        _ offset: UInt64,
        _ protection: UInt32
    ) -> Int64 {
        let pages = Images.pages(image)
        let end = pages.upperBound - pages.lowerBound
        let present = min(length, end > offset ? end - offset : 0)
        if present > 0 {
            let address = pages.lowerBound + offset
            let answer = map(
                start,
                present,
                PageEntry(.copied, at: address, protection: protection)
            )
            guard answer >= 0 else { return answer }
        }
        guard length > present else { return 0 }
        return map(start + present, length - present, PageEntry(.beyond, protection: protection))
    }

    static func unmap(_ start: UInt64, _ length: UInt64) -> Int64 {
        change(start, length) { _, entry in
            release(entry)
            return .empty
        }
    }

    static func protect(_ start: UInt64, _ length: UInt64, _ protection: UInt32) -> Int64 {
        change(start, length) { _, entry in entry.with(protection: protection) }
    }

    static func discard(_ start: UInt64, _ length: UInt64) -> Int64 {
        change(start, length) { _, entry in
            guard entry.kind == .owned else { return entry }
            let origin = self.origin(entry)
            release(entry)
            return origin == 0
                ? PageEntry(.anonymous, protection: entry.protection)
                : PageEntry(.copied, at: origin, protection: entry.protection)
        }
    }

    static func resident(
        _ start: UInt64,
        _ length: UInt64,
        _ pages: UnsafeMutablePointer<UInt8>
    ) -> Int64 {
        for index in 0..<Int(length >> 12) {
            let entry = leaf(start + UInt64(index) << 12)
            pages[index] = entry.isPresent || entry.kind == .owned ? 1 : 0
        }
        return 0
    }

    static func move(
        _ from: UInt64,
        _ fromLength: UInt64,
        _ target: UInt64,
        _ targetLength: UInt64
    ) -> Int64 {
        let kept = min(fromLength, targetLength)
        let last = kept > 0 ? leaf(from + kept - 4096) : .empty
        if from != target {
            guard unmap(target, targetLength) >= 0 else { return noMemory }
            var offset: UInt64 = 0
            while offset < kept {
                let entry = leaf(from + offset)
                guard place(entry, at: target + offset) else { return noMemory }
                guard place(.empty, at: from + offset) else { return noMemory }
                offset += 4096
            }
        }
        if fromLength > kept { return unmap(from + kept, fromLength - kept) }
        guard targetLength > kept else { return 0 }
        // The kernel grows only anonymous memory so.
        return mapAnonymous(target + kept, targetLength - kept, last.protection)
    }

    // MARK: Faults

    enum Outcome {
        case resolved
        case refused
        case beyondFile
        /// No frame is left for the page.
        case outOfMemory
    }

    /// Makes a page present that is there to be touched, if the access is allowed.
    static func resolve(_ address: UInt64, write: Bool, fetch: Bool) -> Outcome {
        if lowestTable(address) == nil, let outcome = resolveLarge(address, write, fetch) {
            return outcome
        }
        guard let slot = slot(address) else {
            return leaf(address).isEmpty ? .refused : .outOfMemory
        }
        let entry = slot.pointee
        guard !entry.isEmpty, entry.allows(write: write, fetch: fetch) else { return .refused }
        switch entry.kind {
        case .none: return .refused
        case .beyond: return .beyondFile
        case .shared, .owned: slot.pointee = entry.madePresent
        case .copied where !write: slot.pointee = entry.madePresent
        case .copied, .anonymous:
            guard let frame = MachineMemory.takeFrame(leavesReserve: true) else {
                return .outOfMemory
            }
            let source = entry.kind == .copied ? entry.address : 0
            if source != 0 {
                Physical.pointer(frame).copyMemory(from: Physical.pointer(source), byteCount: 4096)
            }
            origins[MachineMemory.index(frame)] = source
            count(1)
            slot.pointee = PageEntry(.owned, at: frame, protection: entry.protection).madePresent
        }
        page_invalidate(address)
        return .resolved
    }

    /// As `resolve` where there is a large page, or may be one; nil elsewhere.
    private static func resolveLarge(_ address: UInt64, _ write: Bool, _ fetch: Bool) -> Outcome? {
        guard let entry = largeSlot(address) else { return nil }
        let page = entry.pointee
        guard page.allows(write: write, fetch: fetch) else { return page.isLarge ? .refused : nil }
        if page.isLarge {
            entry.pointee = page.madePresent
        } else {
            guard let frames = MachineMemory.takeLargePage() else { return nil }
            count(pagesOfLarge)
            entry.pointee = PageEntry(largeAt: frames, protection: page.protection).madePresent
        }
        page_invalidate(address)
        return .resolved
    }

    private static func count(_ pages: Int) {
        residentPages += pages
        mostResidentPages = max(mostResidentPages, residentPages)
    }

    // MARK: Entries

    private static var pagesOfLarge: Int { 512 }

    private static func origin(_ entry: PageEntry) -> UInt64 {
        entry.isLarge ? 0 : origins[MachineMemory.index(entry.address)]
    }

    /// Gives back what a page that goes away has of its own.
    private static func release(_ entry: PageEntry) {
        guard entry.kind == .owned else { return }
        residentPages -= entry.isLarge ? pagesOfLarge : 1
        guard entry.isLarge else { return MachineMemory.giveFrame(entry.address) }
        MachineMemory.giveLargePage(entry.address)
    }

    private static func table(_ address: UInt64) -> UnsafeMutablePointer<PageEntry> {
        Physical.pointer(address).assumingMemoryBound(to: PageEntry.self)
    }

    private static func index(_ address: UInt64, _ level: Int) -> Int {
        Int(address >> UInt64(12 + 9 * level)) & 511
    }

    private static func span(_ level: Int) -> UInt64 { 4096 << UInt64(9 * level) }

    /// What stands for the page at an address: a leaf, or the part of an upper entry.
    private static func leaf(_ address: UInt64) -> PageEntry {
        var tableAddress = root
        for level in stride(from: 3, through: 1, by: -1) {
            let entry = table(tableAddress)[index(address, level)]
            guard entry.isTable else {
                return entry.part(address & (span(level) - 1) & ~4095)
            }
            tableAddress = entry.address
        }
        return table(tableAddress)[index(address, 0)]
    }

    /// The leaf's place in the lowest table; nil when nothing is mapped there, or no frame is left
    /// for a table.
    private static func slot(_ address: UInt64) -> UnsafeMutablePointer<PageEntry>? {
        if let entries = lowestTable(address) { return entries + index(address, 0) }
        var tableAddress = root
        for level in stride(from: 3, through: 1, by: -1) {
            let entry = table(tableAddress) + index(address, level)
            if entry.pointee.isEmpty { return nil }
            guard entry.pointee.isTable || split(entry, level, leavesReserve: true) else {
                return nil
            }
            tableAddress = entry.pointee.address
        }
        return table(tableAddress) + index(address, 0)
    }

    /// The entry that stands for the 2 MiB around an address, if they are a large page or anonymous
    /// memory that nobody has touched.
    private static func largeSlot(_ address: UInt64) -> UnsafeMutablePointer<PageEntry>? {
        var tableAddress = root
        for level in stride(from: 3, through: 2, by: -1) {
            let entry = table(tableAddress) + index(address, level)
            if !entry.pointee.isTable {
                guard entry.pointee.kind == .anonymous,
                    split(entry, level, leavesReserve: true)
                else { return nil }
            }
            tableAddress = entry.pointee.address
        }
        let entry = table(tableAddress) + index(address, 1)
        return entry.pointee.isLarge || entry.pointee.kind == .anonymous ? entry : nil
    }

    /// Makes a table of what an upper entry stands for.
    private static func split(
        _ entry: UnsafeMutablePointer<PageEntry>,
        _ level: Int,
        leavesReserve: Bool = false
    ) -> Bool {
        guard let frame = MachineMemory.takeFrame(leavesReserve: leavesReserve) else {
            return false
        }
        let whole = entry.pointee
        if !whole.isEmpty {
            let entries = table(frame)
            for index in 0..<512 { entries[index] = whole.part(UInt64(index) * span(level - 1)) }
        }
        if whole.isLarge { cutFrames(of: whole) }
        entry.pointee = PageEntry(table: frame)
        // The processor may hold the large page in any number of pieces.
        if whole.isLarge { pages_invalidate_all() }
        return true
    }

    private static func cutFrames(of page: PageEntry) {
        MachineMemory.cutLargePage(page.address)
        let first = MachineMemory.index(page.address)
        for index in first..<first + pagesOfLarge { origins[index] = 0 }
    }

    private static func place(_ entry: PageEntry, at address: UInt64) -> Bool {
        change(address, 4096, fillsHoles: !entry.isEmpty) { _, _ in entry } >= 0
    }

    private static func map(_ start: UInt64, _ length: UInt64, _ first: PageEntry) -> Int64 {
        // Where whole tables may go away they do so first.
        if length >= span(1) {
            let answer = unmap(start, length)
            guard answer >= 0 else { return answer }
        }
        return change(start, length, fillsHoles: true) { address, entry in
            release(entry)
            return first.part(address - start)
        }
    }

    // MARK: Walking

    /// Replaces each entry of a range, the highest that lies wholly inside it, by what `body` makes of
    /// it. What is not mapped is left alone unless holes are to be filled.
    private static func change(
        _ start: UInt64,
        _ length: UInt64,
        fillsHoles: Bool = false,
        _ body: (UInt64, PageEntry) -> PageEntry
    ) -> Int64 {
        let end = start + length
        // Most changes concern a few pages of one table.
        if length < span(1), start >> 21 == (end - 1) >> 21, let entries = lowestTable(start) {
            var address = start
            while address < end {
                let entry = entries + index(address, 0)
                if fillsHoles || !entry.pointee.isEmpty {
                    replace(entry, body(address, entry.pointee), address)
                }
                address += 4096
            }
            return 0
        }
        return change(root, 3, start, end, fillsHoles, body) ? 0 : noMemory
    }

    /// The lowest table that was found last, and what it is the table of, in units of 2 MiB.
    nonisolated(unsafe) private static var lastTable: UnsafeMutablePointer<PageEntry>?
    nonisolated(unsafe) private static var lastUnit = UInt64.max

    /// The table of the pages around an address; nil when there is none.
    @inline(__always)
    private static func lowestTable(_ address: UInt64) -> UnsafeMutablePointer<PageEntry>? {
        address >> 21 == lastUnit ? lastTable : findLowestTable(address)
    }

    private static func findLowestTable(_ address: UInt64) -> UnsafeMutablePointer<PageEntry>? {
        var tableAddress = root
        for level in stride(from: 3, through: 1, by: -1) {
            let entry = table(tableAddress)[index(address, level)]
            guard entry.isTable else { return nil }
            tableAddress = entry.address
        }
        lastUnit = address >> 21
        lastTable = table(tableAddress)
        return lastTable
    }

    private static func change(
        _ tableAddress: UInt64,
        _ level: Int,
        _ start: UInt64,
        _ end: UInt64,
        _ fillsHoles: Bool,
        _ body: (UInt64, PageEntry) -> PageEntry
    ) -> Bool {
        let entries = table(tableAddress)
        var address = start
        while address < end {
            let next = min((address & ~(span(level) - 1)) + span(level), end)
            let entry = entries + index(address, level)
            defer { address = next }
            if entry.pointee.isEmpty, !fillsHoles { continue }
            let isWhole = next - address == span(level)
            let isTable = level > 0 && entry.pointee.isTable
            // The processor's top table points to tables only.
            if isWhole, !isTable, level < 3 {
                replace(entry, body(address, entry.pointee), address)
                continue
            }
            guard isTable || split(entry, level),
                change(entry.pointee.address, level - 1, address, next, fillsHoles, body)
            else { return false }
            if isWhole { collect(entry) }
        }
        return true
    }

    private static func replace(
        _ entry: UnsafeMutablePointer<PageEntry>,
        _ new: PageEntry,
        _ address: UInt64
    ) {
        let old = entry.pointee
        guard new != old else { return }
        entry.pointee = new
        guard old.isPresent else { return }
        if old.isLarge { pages_invalidate_all() } else { page_invalidate(address) }
    }

    /// Frees a table that the range covers when nothing is left in it.
    private static func collect(_ entry: UnsafeMutablePointer<PageEntry>) {
        let entries = table(entry.pointee.address)
        for index in 0..<512 where !entries[index].isEmpty { return }
        let frame = entry.pointee.address
        entry.pointee = .empty
        lastUnit = .max
        // The processor may hold what led to the table.
        pages_invalidate_all()
        MachineMemory.giveFrame(frame)
    }
}
