/// Frames that the program's pages have of their own, and where they were copied from.
enum PageFrames {
    /// The number of pages in a large one.
    private static var pagesOfLarge: Int { 512 }

    /// Where a frame's page was copied from, by frame of the machine's memory; zero for zero pages.
    nonisolated(unsafe) private static var origins = UnsafeMutablePointer<UInt64>(bitPattern: 4096)!

    /// Frames that the program's pages have now, and the most that they ever had.
    nonisolated(unsafe) private(set) static var resident = 0
    nonisolated(unsafe) private(set) static var mostResident = 0

    /// `origins`: a word for each frame of the machine's memory.
    static func start(origins: UnsafeMutablePointer<UInt64>) { self.origins = origins }

    /// A frame that holds what a page does that has none of its own; nil when there is none left.
    static func take(copying page: PageEntry) -> UInt64? {
        guard let frame = MachineMemory.takeFrame(leavesReserve: true) else { return nil }
        let source = page.kind == .copied ? page.address : 0
        if source != 0 {
            Physical.pointer(frame).copyMemory(from: Physical.pointer(source), byteCount: 4096)
        }
        origins[MachineMemory.index(frame)] = source
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
        guard page.kind == .owned else { return }
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
        page.isLarge ? 0 : origins[MachineMemory.index(page.address)]
    }

    private static func count(_ pages: Int) {
        resident += pages
        mostResident = max(mostResident, resident)
    }
}
