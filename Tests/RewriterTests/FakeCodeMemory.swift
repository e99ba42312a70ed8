import Rewriter

/// A program's text and its stub pages as plain arrays.
final class FakeCodeMemory: CodeMemory {
    let textAddress: UInt64
    private(set) var text: [UInt8]
    private(set) var pages: [UInt64: [UInt8]] = [:]
    /// Addresses where nothing can be mapped.
    var occupied: [Range<UInt64>] = []
    var boundary: ((UInt64) -> UInt64?)?
    var isWritable = true
    let original: [UInt8]
    var recordsSnapshots = false
    /// The text as it was at each synchronisation.
    private(set) var snapshots: [[UInt8]] = []
    private var lent: UnsafeMutableRawBufferPointer?

    init(text: [UInt8], at address: UInt64) {
        self.text = text
        original = text
        textAddress = address
        occupied = [address & ~4095..<(address + UInt64(text.count) + 4095) & ~4095]
    }

    var range: Range<UInt64> { textAddress..<textAddress + UInt64(text.count) }

    func patchableText(around address: UInt64) -> Range<UInt64>? {
        range.contains(address) ? range : nil
    }

    func knownBoundary(before site: UInt64) -> UInt64? { boundary?(site) }

    func read(_ address: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard range.contains(address), range.upperBound - address >= UInt64(buffer.count) else {
            return false
        }
        let offset = Int(address - textAddress)
        buffer.copyBytes(from: text[offset..<offset + buffer.count])
        return true
    }

    func mapStubPage(at address: UInt64) -> Bool {
        precondition(address & 4095 == 0, "stub pages are aligned")
        let page = address..<address + 4096
        guard pages[address] == nil, !occupied.contains(where: { $0.overlaps(page) }) else {
            return false
        }
        pages[address] = [UInt8](repeating: 0, count: 4096)
        return true
    }

    func withWritable(
        _ range: Range<UInt64>,
        _ body: (UnsafeMutableRawPointer) -> Void
    ) -> Bool {
        guard isWritable else { return false }
        if self.range.contains(range.lowerBound) {
            let offset = Int(range.lowerBound - textAddress)
            precondition(offset + range.count <= text.count, "a patch stays in its text")
            text.withUnsafeMutableBytes { bytes in
                lent = bytes
                body(bytes.baseAddress! + offset)
                lent = nil
            }
            return true
        }
        let page = range.lowerBound & ~4095
        guard pages[page] != nil else { return false }
        precondition(range.upperBound <= page + 4096, "a stub stays in its page")
        let offset = Int(range.lowerBound - page)
        pages[page]!.withUnsafeMutableBytes { body($0.baseAddress! + offset) }
        return true
    }

    func synchronizeInstructionFetch() {
        if recordsSnapshots, let lent { snapshots.append(Array(lent)) }
    }

    /// The bytes at `address`, of the text or of a stub page.
    func bytes(_ address: UInt64, _ count: Int) -> [UInt8] {
        if range.contains(address) {
            let offset = Int(address - textAddress)
            return Array(text[offset..<min(offset + count, text.count)])
        }
        let page = address & ~4095
        let offset = Int(address - page)
        guard let bytes = pages[page] else { return [] }
        return Array(bytes[offset..<min(offset + count, 4096)])
    }
}

/// The map that DESIGN.md lays down: low code and its stubs, and everything above 64 GiB.
let testWindows = [
    StubWindow(code: 0x40_0000..<0x7000_0000, stubs: 0x7020_0000..<0x8000_0000),
    StubWindow(
        code: 0x10_0000_0000..<0x7e00_0000_0000,
        stubs: 0x10_0000_0000..<0x7e00_0000_0000,
        distance: 1 << 30
    ),
]
let testEntries = StubEntries(keepingFlags: 0x7000_1000, losingFlags: 0x7000_1800)
