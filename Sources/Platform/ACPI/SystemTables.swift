/// Physical memory, as far as it can be read.
public protocol PhysicalMemory {
    /// Nil where nothing can be read.
    func bytes(_ address: UInt64, _ count: Int) -> UnsafeRawBufferPointer?
}

/// The tables of a machine's firmware (ACPI 6.5, section 5.2).
public struct SystemTables<Memory: PhysicalMemory> {
    private let memory: Memory
    private let root: Table
    /// Whether addresses in the root table are of 64 bits: it is an XSDT, not an RSDT.
    private let isWide: Bool

    /// Nil when the structure at `pointer` is no RSDP, or leads nowhere (5.2.5.3).
    public init?(_ memory: Memory, pointer: UInt64) {
        guard let start = memory.bytes(pointer, 20).map(Table.init), start.has("RSD PTR ", at: 0),
            start.isSummedUp
        else { return nil }
        self.memory = memory
        if start.bytes[15] >= 2, let all = memory.bytes(pointer, 36).map(Table.init),
            all.isSummedUp, let root = Table(memory, all.loadWide(24)), root.has("XSDT", at: 0)
        {
            (self.root, isWide) = (root, true)
            return
        }
        guard let root = Table(memory, UInt64(start.load(16))), root.has("RSDT", at: 0) else {
            return nil
        }
        (self.root, isWide) = (root, false)
    }

    /// Looks for the structure where firmware of PCs has it (5.2.5.1).
    public static func findPointer(_ memory: Memory) -> UInt64? {
        let segment = memory.bytes(0x40e, 2)?.loadUnaligned(as: UInt16.self) ?? 0
        let firmwareData = UInt64(segment) << 4
        return find(memory, firmwareData..<firmwareData + 1024) ?? find(memory, 0xe0000..<0x10_0000)
    }

    private static func find(_ memory: Memory, _ range: Range<UInt64>) -> UInt64? {
        var address = (range.lowerBound + 15) & ~15
        while address < range.upperBound {
            guard let bytes = memory.bytes(address, 20) else { return nil }
            let table = Table(bytes)
            if table.has("RSD PTR ", at: 0), table.isSummedUp { return address }
            address += 16
        }
        return nil
    }

    /// The first table of a signature.
    func table(_ signature: StaticString) -> Table? {
        let size = isWide ? 8 : 4
        var place = Table.headerSize
        while place + size <= root.count {
            let address = isWide ? root.loadWide(place) : UInt64(root.load(place))
            if let table = Table(memory, address), table.has(signature, at: 0) { return table }
            place += size
        }
        return nil
    }

    /// The DSDT, which the fixed table names (5.2.9).
    func differentiated(_ fixed: Table) -> Table? {
        let wide = fixed.count >= 148 ? fixed.loadWide(140) : 0
        guard let table = Table(memory, wide != 0 ? wide : UInt64(fixed.load(40))),
            table.has("DSDT", at: 0)
        else { return nil }
        return table
    }
}

/// Bytes of a table; the caller knows that what it loads is there.
struct Table {
    let bytes: UnsafeRawBufferPointer

    static var headerSize: Int { 36 }
    private static var sizeLimit: Int { 4 << 20 }

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// By the length that its header tells, if its sum is right (5.2.6).
    init?<Memory: PhysicalMemory>(_ memory: Memory, _ address: UInt64) {
        guard address != 0, let header = memory.bytes(address, Self.headerSize) else { return nil }
        let length = Int(Table(header).load(4))
        guard length >= Self.headerSize, length <= Self.sizeLimit,
            let bytes = memory.bytes(address, length), Table(bytes).isSummedUp
        else { return nil }
        self.bytes = bytes
    }

    var count: Int { bytes.count }
    var isSummedUp: Bool { bytes.reduce(0, &+) == 0 }

    subscript(place: Int) -> UInt8? { bytes.indices.contains(place) ? bytes[place] : nil }

    func load(_ place: Int) -> UInt32 {
        bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
    }

    func loadWide(_ place: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
    }

    func has(_ text: StaticString, at place: Int) -> Bool {
        text.withUTF8Buffer { text in
            place + text.count <= count && text.indices.allSatisfy { bytes[place + $0] == text[$0] }
        }
    }

    /// A port that is told by its number; nil for none.
    func port(_ place: Int) -> PowerOff.Register? {
        let port = load(place)
        guard port != 0, port <= 0xffff else { return nil }
        return PowerOff.Register(isPort: true, address: UInt64(port))
    }

    /// A generic address structure (5.2.3.2), of memory or ports; nil for none.
    func register(_ place: Int) -> PowerOff.Register? {
        guard place + 12 <= count else { return nil }
        let (space, address) = (bytes[place], loadWide(place + 4))
        guard address != 0, space <= 1, space == 0 || address <= 0xffff else { return nil }
        return PowerOff.Register(isPort: space == 1, address: address)
    }
}
