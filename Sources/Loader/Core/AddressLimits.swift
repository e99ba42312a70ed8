import LinuxABI

/// Where a program's segments may lie. The kernel's own address map supplies the numbers.
public struct AddressLimits: Sendable {
    /// Bytes in a page, of file mappings as of memory.
    public static var pageSize: UInt64 { 4096 }

    /// No segment begins below: page 0 and `mmap_min_addr`.
    public var lowest: UInt64
    /// No segment ends above.
    public var highest: UInt64
    /// Kernel image and stubs of low code.
    public var kernel: Range<UInt64>
    /// Position-independent images lie from here on.
    public var relocatable: UInt64

    public init(lowest: UInt64, highest: UInt64, kernel: Range<UInt64>, relocatable: UInt64) {
        self.lowest = lowest
        self.highest = highest
        self.kernel = kernel
        self.relocatable = relocatable
    }

    /// The map of the x86-64 kernel image (see `docs/`): the kernel in [0x7000_0000, 0x8000_0000),
    /// position-independent code from 64 GiB on, nothing from 0x7e00_0000_0000 on.
    public static var x86: AddressLimits {
        AddressLimits(
            lowest: 0x1_0000,
            highest: 0x7e00_0000_0000,
            kernel: 0x7000_0000..<0x8000_0000,
            relocatable: 0x10_0000_0000
        )
    }

    /// A base for a position-independent image, `bits` pages of which are random.
    public func randomizedBase(_ random: UInt64, bits: Int) -> UInt64 {
        let mask = (UInt64(1) << UInt64(max(0, min(bits, 32)))) &- 1
        return relocatable &+ (random & mask) &* AddressLimits.pageSize
    }
}

extension UInt64 {
    /// Rounded down to the page.
    var pageStart: UInt64 { self & ~(AddressLimits.pageSize - 1) }

    /// Rounded up to the page, or `nil` when no 64-bit number is.
    var pageEnd: UInt64? {
        let (sum, overflow) = addingReportingOverflow(AddressLimits.pageSize - 1)
        return overflow ? nil : sum.pageStart
    }

    /// Bytes into the page.
    var pageOffset: UInt64 { self & (AddressLimits.pageSize - 1) }
}
