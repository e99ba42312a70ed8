import Platform

/// The address spaces of processes: a set of page tables for each, which share those of the kernel.
///
/// A space's number is where its top table lies; the one made at boot, which is not a frame of the
/// machine's memory and stays, is number 0.
enum Spaces {
    private static let noMemory: Int64 = -12
    private static let tryAgain: Int64 = -11

    /// The program's parts of the address space; between them and above is the kernel.
    private static var parts: InlineArray<3, Range<UInt64>> {
        [0..<0x7000_0000, 0x7800_0000..<0x8000_0000, 0x8000_0000..<0x7e00_0000_0000]
    }

    nonisolated(unsafe) private static var count = 1

    private static var boot: UInt64 { Physical.address(ofImage: machine_tables.root) }
    private static func root(_ space: UInt64) -> UInt64 { space == 0 ? boot : space }

    // MARK: Operations of the contract

    static func copy() -> Int64 { make(copies: true) }

    static func create() -> Int64 { make(copies: false) }

    static func activate(
        _ space: UInt64,
        _ save: UnsafeMutablePointer<UInt64>,
        _ load: UnsafePointer<UInt64>
    ) {
        PageTables.use(root: root(space))
        page_tables_use(PageTables.root)
        kernel_space_entered()
        if load != UnsafePointer(save) { context_switch(save, load.pointee) }
    }

    /// Of the active one the processor must not hold tables that go: it uses those of the boot then,
    /// which have all that is the kernel's.
    static func release(_ space: UInt64) {
        if space != 0, space == PageTables.root {
            PageTables.use(root: boot)
            page_tables_use(boot)
        }
        free(space)
    }

    /// Gives back the tables in which nothing is mapped any more.
    static func trim() {
        for index in 0..<3 { PageTables.trim(parts[index]) }
    }

    // MARK: Making and freeing

    private static func make(copies: Bool) -> Int64 {
        // A page counts who has it.
        guard count < PageFrames.sharersMask else { return tryAgain }
        guard let space = copyTable(PageTables.root, 3, 0, copies) else { return noMemory }
        count += 1
        // The processor may write to what the two share from now on.
        if copies { pages_invalidate_all() }
        return Int64(space)
    }

    /// A copy of a table that begins at an address: with what the kernel has there, and the program's
    /// pages if they are to be copied. nil when no frame is left.
    private static func copyTable(
        _ table: UInt64,
        _ level: Int,
        _ start: UInt64,
        _ copies: Bool
    ) -> UInt64? {
        guard let frame = MachineMemory.takeFrame(leavesReserve: true) else { return nil }
        let source = PageTables.table(table)
        let target = PageTables.table(frame)
        for index in 0..<512 {
            let entry = source + index
            guard !entry.pointee.isEmpty else { continue }
            let address = start + UInt64(index) * PageTables.span(level)
            guard !isKernels(address, level) else {
                target[index] = entry.pointee
                continue
            }
            guard copies || holdsKernels(address, level) else { continue }
            guard copyEntry(entry, target + index, level, address, copies) else {
                freeTable(frame, level, start)
                return nil
            }
        }
        return frame
    }

    private static func copyEntry(
        _ entry: UnsafeMutablePointer<PageEntry>,
        _ target: UnsafeMutablePointer<PageEntry>,
        _ level: Int,
        _ address: UInt64,
        _ copies: Bool
    ) -> Bool {
        if level > 0 {
            // Each page of a large one is copied for itself when it is written.
            if entry.pointee.isLarge, !PageTables.split(entry, level, leavesReserve: true) {
                return false
            }
            if entry.pointee.isTable {
                guard let lower = copyTable(entry.pointee.address, level - 1, address, copies)
                else { return false }
                target.pointee = PageEntry(table: lower)
                return true
            }
        }
        if entry.pointee.isOwn {
            PageFrames.share(entry.pointee)
            entry.pointee = entry.pointee.forked
        }
        target.pointee = entry.pointee
        return true
    }

    private static func free(_ space: UInt64) {
        count -= 1
        guard space == 0 else { return freeTable(space, 3, 0) }
        count += 1
        let active = PageTables.root
        PageTables.use(root: boot)
        for index in 0..<3 {
            _ = AddressTranslation.unmap(parts[index].lowerBound, UInt64(parts[index].count))
        }
        PageTables.use(root: active)
    }

    private static func freeTable(_ table: UInt64, _ level: Int, _ start: UInt64) {
        let entries = PageTables.table(table)
        for index in 0..<512 {
            let entry = entries[index]
            let address = start + UInt64(index) * PageTables.span(level)
            guard !entry.isEmpty, !isKernels(address, level) else { continue }
            if level > 0, entry.isTable {
                freeTable(entry.address, level - 1, address)
            } else {
                PageFrames.release(entry)
            }
        }
        MachineMemory.giveFrame(table)
    }

    // MARK: What is whose

    /// Whether all that an entry stands for is the kernel's.
    private static func isKernels(_ address: UInt64, _ level: Int) -> Bool {
        let end = address + PageTables.span(level)
        for index in 0..<3 where parts[index].overlaps(address..<end) { return false }
        return true
    }

    /// Whether some of it is.
    private static func holdsKernels(_ address: UInt64, _ level: Int) -> Bool {
        let end = address + PageTables.span(level)
        for index in 0..<3
        where parts[index].lowerBound <= address && end <= parts[index].upperBound { return false }
        return true
    }
}
