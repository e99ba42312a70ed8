/// Frames that the program's pages have of their own, and where they were copied from.
enum PageFrames {
    /// The number of pages in a large one.
    private static var pagesOfLarge: Int { 512 }

    /// Where a frame's page was copied from, by frame of the machine's memory, zero for zero pages; in
    /// the low bits how many more address spaces have it.
    nonisolated(unsafe) private static var origins = UnsafeMutablePointer<UInt64>(bitPattern: 4096)!

    /// Frames that the program's pages have now, and the most that they ever had.
    nonisolated(unsafe) private(set) static var resident = 0
    nonisolated(unsafe) private(set) static var mostResident = 0

    /// `origins`: a word for each frame of the machine's memory.
    static func start(origins: UnsafeMutablePointer<UInt64>) { self.origins = origins }

    /// A frame that holds what a page does that has none of its own; nil when there is none left.
    static func take(copying page: PageEntry) -> UInt64? {
        guard let frame = MachineMemory.takeFrame(leavesReserve: true) else { return nil }
        if page.kind != .anonymous {
            Physical.pointer(frame)
                .copyMemory(from: Physical.pointer(page.address), byteCount: 4096)
        }
        let origin = page.kind == .copied ? page.address : origin(of: page)
        origins[MachineMemory.index(frame)] = origin
        count(1)
        return frame
    }

    /// 2 MiB of zeros for a large page; nil when there are none to spare.
    static func takeLarge() -> UInt64? {
        guard let frames = MachineMemory.takeLargePage() else { return nil }
        count(pagesOfLarge)
        return frames
    }

    /// Gives back what a page that goes away has of its own.
    static func release(_ page: PageEntry) {
        guard page.isOwn else { return }
        guard page.kind == .owned || leave(page) else { return }
        resident -= page.isLarge ? pagesOfLarge : 1
        guard page.isLarge else { return MachineMemory.giveFrame(page.address) }
        MachineMemory.giveLargePage(page.address)
    }

    /// Makes the frames of a large page ones of small pages.
    static func cut(_ page: PageEntry) {
        MachineMemory.cutLargePage(page.address)
        let first = MachineMemory.index(page.address)
        for index in first..<first + pagesOfLarge { origins[index] = 0 }
    }

    static func origin(of page: PageEntry) -> UInt64 {
        guard page.isOwn, !page.isLarge else { return 0 }
        return origins[MachineMemory.index(page.address)] & ~sharersMask
    }

    // MARK: Frames of several address spaces

    /// More address spaces than this cannot be: see `Spaces`.
    static var sharersMask: UInt64 { 4095 }

    /// One more address space has a page.
    static func share(_ page: PageEntry) { origins[MachineMemory.index(page.address)] += 1 }

    /// Whether nobody else has a forked page any more.
    static func isAlone(_ page: PageEntry) -> Bool {
        origins[MachineMemory.index(page.address)] & sharersMask == 0
    }

    /// An address space gives a forked page up; true when it was the last.
    private static func leave(_ page: PageEntry) -> Bool {
        guard !isAlone(page) else { return true }
        origins[MachineMemory.index(page.address)] -= 1
        return false
    }

    private static func count(_ pages: Int) {
        resident += pages
        mostResident = max(mostResident, resident)
    }
}
