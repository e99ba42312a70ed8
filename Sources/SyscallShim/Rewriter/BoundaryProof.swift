/// Proves where the instructions before a `syscall` begin.
///
/// x86 code cannot be decoded backwards, but the caught `syscall` is a boundary for certain, and
/// that refutes most readings: the text before is decoded from every offset, and what does not
/// arrive at the site exactly is no reading of it. An offset is proved when every reading that
/// begins at least one maximal instruction before it, and arrives, passes through it: one of those
/// readings is the true one as long as code lies there and not data. A known boundary replaces all
/// that by the one reading from there.
struct BoundaryProof {
    /// How many bytes before the site are read.
    static let depth = 80
    /// A proof needs at least this many readings that arrive.
    private static let quorum = 4

    private let text: SiteText
    private let available: Int
    /// Length of the instruction `index` + 1 bytes before the site, 0 when there is none.
    private var lengths = InlineArray<80, UInt8>(repeating: 0)
    /// Whether the reading from there arrives at the site.
    private var arrives = InlineArray<81, Bool>(repeating: false)

    init(_ text: SiteText) {
        self.text = text
        available = min(BoundaryProof.depth, text.site)
        arrives[0] = true
        for distance in stride(from: 1, through: available, by: 1) {
            guard let instruction = text.instruction(at: text.site - distance) else { continue }
            let length = Int(instruction.length)
            guard length <= distance else { continue }
            lengths[distance - 1] = instruction.length
            arrives[distance] = arrives[distance - length]
        }
    }

    enum Verdict { case proved, open, refuted }

    /// Whether an instruction begins `distance` bytes before the site.
    func verdict(_ distance: Int) -> Verdict {
        guard distance > 0, distance <= available, arrives[distance] else { return .refuted }
        if let boundary = text.knownBoundary {
            return reads(from: boundary, through: text.site - distance) ? .proved : .refuted
        }
        var passing = InlineArray<81, Bool>(repeating: false)
        passing[distance] = true
        var supporters = 0
        var readings = 0
        for start in stride(from: distance + 1, through: available, by: 1)
        where arrives[start] {
            passing[start] = passing[start - Int(lengths[start - 1])]
            guard start >= distance + 16 else { continue }
            readings += 1
            if passing[start] { supporters += 1 }
        }
        guard readings >= BoundaryProof.quorum else { return .open }
        if supporters == readings { return .proved }
        return supporters == 0 ? .refuted : .open
    }

    /// Whether decoding from `boundary` passes `offset` and arrives at the site.
    private func reads(from boundary: Int, through offset: Int) -> Bool {
        var cursor = boundary
        var passed = false
        while cursor < text.site {
            if cursor == offset { passed = true }
            guard let instruction = text.instruction(at: cursor) else { return false }
            cursor += Int(instruction.length)
        }
        return passed && cursor == text.site
    }
}
