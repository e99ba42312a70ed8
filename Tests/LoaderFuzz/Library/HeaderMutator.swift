/// Damages ELF files where it hurts: single fields of the headers, with values that stand on edges.
public struct HeaderMutator {
    private var generator: SeededGenerator
    private let base: [UInt8]
    private let tableOffset: Int
    private let tableCount: Int
    private let sectionOffset: Int
    private let sectionCount: Int

    /// Numbers near which loaders go wrong.
    private static let edges: [UInt64] = [
        0, 1, 2, 3, 0xfff, 0x1000, 0x1001, 0xffff, 0x1_0000, 0x40_0000, 0x6fff_f000, 0x7000_0000,
        0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000, 0x10_0000_0000, 0x7dff_ffff_f000,
        0x7e00_0000_0000, 0x7fff_ffff_f000, 0x8000_0000_0000, 1 << 63, .max - 0x1000,
        .max - 0xfff, .max - 1, .max,
    ]

    /// `base` is a good ELF file.
    public init(_ base: [UInt8], seed: UInt64) {
        self.base = base
        generator = SeededGenerator(seed: seed)
        let number = { (offset: Int, size: Int) in
            base[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        tableOffset = number(32, 4)
        tableCount = number(56, 2)
        sectionOffset = number(40, 4)
        sectionCount = number(60, 2)
    }

    /// The next damaged copy.
    public mutating func next() -> [UInt8] {
        var bytes = base
        for _ in 0..<Int.random(in: 1...4, using: &generator) { mutate(&bytes) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        switch Int.random(in: 0..<16, using: &generator) {
        case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
        case 1: flip(&bytes, below: bytes.count)
        case 2: flip(&bytes, below: min(bytes.count, 64))
        case 3: copyEntry(&bytes)
        case 4:
            let fields = [(16, 2), (18, 2), (24, 8), (32, 8), (40, 8), (54, 2), (56, 2), (60, 2)]
            let (offset, size) = fields.randomElement(using: &generator) ?? (24, 8)
            store(edge(), size, at: offset, &bytes)
        case 5, 6, 7: mutateSection(&bytes)
        default: mutateEntry(&bytes)
        }
    }

    /// One field of one section header.
    private mutating func mutateSection(_ bytes: inout [UInt8]) {
        let index = Int.random(in: 0..<max(1, sectionCount), using: &generator)
        let fields = [
            (0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 4), (44, 4), (48, 8), (56, 8),
        ]
        let (field, size) = fields.randomElement(using: &generator) ?? (24, 8)
        store(edge(), size, at: sectionOffset + 64 * index + field, &bytes)
    }

    /// One field of one program header.
    private mutating func mutateEntry(_ bytes: inout [UInt8]) {
        let entry = tableOffset + 56 * Int.random(in: 0..<max(1, tableCount), using: &generator)
        if Int.random(in: 0..<4, using: &generator) == 0 {
            let types: [UInt64] = [0, 1, 1, 1, 2, 3, 4, 7, 0x6474_e551]
            store(types.randomElement(using: &generator) ?? 1, 4, at: entry, &bytes)
            store(UInt64.random(in: 0..<8, using: &generator), 4, at: entry + 4, &bytes)
            return
        }
        let field = [8, 16, 32, 40, 48].randomElement(using: &generator) ?? 8
        store(edge(), 8, at: entry + field, &bytes)
    }

    private mutating func copyEntry(_ bytes: inout [UInt8]) {
        let count = max(1, tableCount)
        let from = tableOffset + 56 * Int.random(in: 0..<count, using: &generator)
        let to = tableOffset + 56 * Int.random(in: 0..<count, using: &generator)
        guard max(from, to) + 56 <= bytes.count else { return }
        bytes.replaceSubrange(to..<to + 56, with: Array(bytes[from..<from + 56]))
    }

    private mutating func edge() -> UInt64 {
        let value = Self.edges.randomElement(using: &generator) ?? 0
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return value &+ UInt64.random(in: 0..<64, using: &generator)
        case 1: return value &- UInt64.random(in: 0..<64, using: &generator)
        case 2: return UInt64.random(in: 0..<0x20_0000, using: &generator) & ~0xfff
        default: return value
        }
    }

    private mutating func flip(_ bytes: inout [UInt8], below limit: Int) {
        guard limit > 0 else { return }
        let index = Int.random(in: 0..<limit, using: &generator)
        bytes[index] = UInt8.random(in: 0...255, using: &generator)
    }

    private func store(_ value: UInt64, _ size: Int, at offset: Int, _ bytes: inout [UInt8]) {
        guard offset + size <= bytes.count else { return }
        for index in 0..<size {
            bytes[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8))
        }
    }
}
