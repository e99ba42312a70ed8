import Platform

/// The four levels of tables that the processor translates the program's addresses by (SDM volume 3,
/// section 4.5), from the top one, level 3, to those of pages, level 0.
///
/// There are two ways through them: `find` goes down to one address, `change` over a range.
enum PageTables {
    /// An entry, and the level of the table that it is in.
    struct Place {
        let entry: UnsafeMutablePointer<PageEntry>
        let level: Int
    }

    /// Physical address of the top table.
    nonisolated(unsafe) private(set) static var root: UInt64 = 0

    /// The lowest table that was found last, and what it is the table of, in units of 2 MiB.
    nonisolated(unsafe) private static var lastTable = UnsafeMutablePointer<PageEntry>(
        bitPattern: 4096
    )!
    nonisolated(unsafe) private static var lastUnit = UInt64.max

    /// Takes another set of tables.
    static func use(root: UInt64) {
        self.root = root
        lastUnit = .max
    }

    /// How much an entry of a level stands for.
    static func span(_ level: Int) -> UInt64 { 4096 << UInt64(9 * level) }

    static func table(_ address: UInt64) -> UnsafeMutablePointer<PageEntry> {
        Physical.pointer(address).assumingMemoryBound(to: PageEntry.self)
    }

    private static func index(_ address: UInt64, _ level: Int) -> Int {
        Int(address >> UInt64(12 + 9 * level)) & 511
    }

    // MARK: One address

    /// Goes down towards an address while there are tables, to a level at most. With `cuts` a table is
    /// made of what an entry on the way stands for, unless that is nothing, or no frame is left.
    @inline(__always)
    static func find(_ address: UInt64, downTo lowest: Int = 0, cuts: Bool = false) -> Place {
        if lowest == 0, address >> 21 == lastUnit {
            return Place(entry: lastTable + index(address, 0), level: 0)
        }
        return descend(address, lowest, cuts)
    }

    private static func descend(_ address: UInt64, _ lowest: Int, _ cuts: Bool) -> Place {
        var entries = table(root)
        var level = 3
        while level > lowest {
            let entry = entries + index(address, level)
            if !entry.pointee.isTable {
                guard cuts, !entry.pointee.isEmpty, split(entry, level, leavesReserve: true)
                else { return Place(entry: entry, level: level) }
            }
            entries = table(entry.pointee.address)
            level -= 1
        }
        if level == 0 {
            lastUnit = address >> 21
            lastTable = entries
        }
        return Place(entry: entries + index(address, level), level: level)
    }

    /// What stands for the page at an address, which may be a part of an upper entry.
    static func page(at address: UInt64) -> PageEntry {
        let place = find(address)
        return place.entry.pointee.part(address & (span(place.level) - 1) & ~4095)
    }

    // MARK: A range

    /// Replaces each entry of a range, the highest that lies wholly inside it, by what `body` makes of
    /// it. What is not mapped is left alone unless holes are to be filled. False when no frame is left
    /// for a table.
    @inline(__always)
    static func change(
        _ start: UInt64,
        _ length: UInt64,
        _ fillsHoles: Bool,
        _ body: (UInt64, PageEntry) -> PageEntry
    ) -> Bool {
        let end = start + length
        // Most changes concern a few pages of one table.
        guard length < span(1), start >> 21 == (end - 1) >> 21 else {
            return change(root, 3, start, end, fillsHoles, body)
        }
        let first = find(start)
        guard first.level == 0 else { return change(root, 3, start, end, fillsHoles, body) }
        var entry = first.entry
        var address = start
        while address < end {
            if fillsHoles || !entry.pointee.isEmpty {
                replace(entry, body(address, entry.pointee), address)
            }
            entry += 1
            address += 4096
        }
        return true
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

    // MARK: Entries

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

    /// Makes a table of what an upper entry stands for.
    static func split(
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
        if whole.isLarge { PageFrames.cut(whole) }
        entry.pointee = PageEntry(table: frame)
        // The processor may hold the large page in any number of pieces.
        if whole.isLarge { pages_invalidate_all() }
        return true
    }

    /// Frees the tables of a range in which nothing is mapped any more: those that it covers wholly.
    static func trim(_ range: Range<UInt64>) { trim(root, 3, range.lowerBound, range.upperBound) }

    private static func trim(_ tableAddress: UInt64, _ level: Int, _ start: UInt64, _ end: UInt64) {
        let entries = table(tableAddress)
        var address = start
        while address < end {
            let next = min((address & ~(span(level) - 1)) + span(level), end)
            let entry = entries + index(address, level)
            defer { address = next }
            guard entry.pointee.isTable else { continue }
            if level > 1 { trim(entry.pointee.address, level - 1, address, next) }
            if next - address == span(level) { collect(entry) }
        }
    }

    /// Frees a table that a range covers when nothing is left in it.
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
