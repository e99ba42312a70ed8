import Platform

/// One entry of a page table (SDM volume 3, section 4.5). Bits that the processor leaves alone say
/// what the page is, whether it is present or not, so that it can be made present when it is touched.
/// In an upper table an entry that is not present stands for all the pages below it.
struct PageEntry: Equatable {
    var bits: UInt64

    enum Kind: UInt64 {
        /// Nothing is mapped.
        case none = 0
        /// Zero, and without a frame until it is touched.
        case anonymous = 1
        /// A frame of somebody else's, to be copied when it is written.
        case copied = 2
        /// A frame of somebody else's, written in place.
        case shared = 3
        /// A frame of its own.
        case owned = 4
        /// Beyond the end of its file: touching it is a bus error.
        case beyond = 5
        /// A frame of its own that other address spaces have too, to be copied when it is written.
        case forked = 6
    }

    static var empty: PageEntry { PageEntry(bits: 0) }

    // Bits 9 to 11 are the kind, 52 to 54 the protection asked for.
    private static var kindShift: UInt64 { 9 }
    private static var protectionShift: UInt64 { 52 }
    private static var addressMask: UInt64 { 0x000f_ffff_ffff_f000 }

    init(bits: UInt64) { self.bits = bits }

    /// A page that is not present.
    init(_ kind: Kind, at address: UInt64 = 0, protection: UInt32) {
        bits =
            kind.rawValue << PageEntry.kindShift | UInt64(protection & 7)
            << PageEntry.protectionShift
            | address
    }

    /// A page of 2 MiB of its own, which is not present: in a table of the second level.
    init(largeAt address: UInt64, protection: UInt32) {
        self.init(.owned, at: address, protection: protection)
        bits |= UInt64(PAGE_LARGE)
    }

    /// A pointer to a lower table.
    init(table address: UInt64) {
        bits = address | UInt64(PAGE_PRESENT) | UInt64(PAGE_WRITABLE)
    }

    var kind: Kind { Kind(rawValue: bits >> PageEntry.kindShift & 7) ?? .none }
    var address: UInt64 { bits & PageEntry.addressMask }
    var isEmpty: Bool { bits == 0 }
    var isPresent: Bool { bits & UInt64(PAGE_PRESENT) != 0 }
    var isLarge: Bool { bits & UInt64(PAGE_LARGE) != 0 }
    /// In an upper table: whether it points to a lower one.
    var isTable: Bool { isPresent && !isLarge }

    var protection: UInt32 {
        UInt32(truncatingIfNeeded: bits >> PageEntry.protectionShift & 7)
    }

    /// Whether it has an address of its own, which grows from page to page.
    var hasAddress: Bool { kind == .copied || kind == .shared || isOwn }

    /// Whether the frame is the program's alone, or was until it forked.
    var isOwn: Bool { kind == .owned || kind == .forked }

    /// The same page with another protection, present only if it was and may still be read.
    func with(protection: UInt32) -> PageEntry {
        var changed = PageEntry(kind, at: address, protection: protection)
        changed.bits |= bits & UInt64(PAGE_LARGE)
        return isPresent && protection != 0 ? changed.madePresent : changed
    }

    /// The same page of the program's own when another address space has it too.
    var forked: PageEntry {
        let shared = PageEntry(.forked, at: address, protection: protection)
        return isPresent ? shared.madePresent : shared
    }

    /// As the processor is to see it.
    var madePresent: PageEntry {
        let isWritable =
            protection & UInt32(PLATFORM_WRITE.rawValue) != 0 && kind != .copied && kind != .forked
        let isExecutable = protection & UInt32(PLATFORM_EXECUTE.rawValue) != 0
        return PageEntry(
            bits: bits | UInt64(PAGE_PRESENT) | (isWritable ? UInt64(PAGE_WRITABLE) : 0)
                | (isExecutable ? 0 : UInt64(PAGE_NO_EXECUTE))
        )
    }

    /// What an access needs of the protection; what is written or executed may be read as well.
    func allows(write: Bool, fetch: Bool) -> Bool {
        if write { return protection & UInt32(PLATFORM_WRITE.rawValue) != 0 }
        if fetch { return protection & UInt32(PLATFORM_EXECUTE.rawValue) != 0 }
        return protection != 0
    }

    /// The entry for the part `offset` bytes into what this one stands for.
    func part(_ offset: UInt64) -> PageEntry {
        hasAddress ? PageEntry(bits: bits & ~UInt64(PAGE_LARGE) &+ offset) : self
    }
}
