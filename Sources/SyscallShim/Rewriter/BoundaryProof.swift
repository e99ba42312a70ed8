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

    /// How far before the site a boundary can be proved, and how far before that readings begin.
    private static let reach = 31
    private static let maximalInstruction = 15

    private let text: SiteText
    private let available: Int
    /// By the distance before the site at which a reading begins, as far as it arrives at the site:
    /// the distances at which it finds boundaries, as a bit set. 0 where it does not arrive.
    private var boundaries = InlineArray<81, UInt32>(repeating: 0)
    /// The readings that begin there or farther away: what all and what any of them find, and how
    /// many they are.
    private var common = InlineArray<81, UInt32>(repeating: .max)
    private var found = InlineArray<81, UInt32>(repeating: 0)
    private var readings = InlineArray<81, UInt8>(repeating: 0)

    init(_ text: SiteText) {
        self.text = text
        available = min(BoundaryProof.depth, text.site)
        read()
        summarize()
    }

    private mutating func read() {
        boundaries[0] = 1
        for distance in stride(from: 1, through: available, by: 1) {
            guard let instruction = text.instruction(at: text.site - distance) else { continue }
            let length = Int(instruction.length)
            guard length <= distance, boundaries[distance - length] != 0 else { continue }
            let own: UInt32 = distance <= BoundaryProof.reach ? 1 << UInt32(distance) : 0
            boundaries[distance] = boundaries[distance - length] | own
        }
    }

    private mutating func summarize() {
        var (all, any, count): (UInt32, UInt32, UInt8) = (.max, 0, 0)
        for distance in stride(from: available, through: 1, by: -1) {
            if boundaries[distance] != 0 {
                all &= boundaries[distance]
                any |= boundaries[distance]
                count += 1
            }
            common[distance] = all
            found[distance] = any
            readings[distance] = count
        }
    }

    enum Verdict { case proved, open, refuted }

    /// Whether an instruction begins `distance` bytes before the site.
    func verdict(_ distance: Int) -> Verdict {
        guard distance > 0, distance <= available, boundaries[distance] != 0 else {
            return .refuted
        }
        if let boundary = text.knownBoundary {
            return reads(from: boundary, through: text.site - distance) ? .proved : .refuted
        }
        let begin = distance + BoundaryProof.maximalInstruction + 1
        guard distance <= BoundaryProof.reach, begin <= available,
            readings[begin] >= BoundaryProof.quorum
        else { return .open }
        let bit: UInt32 = 1 << UInt32(distance)
        if common[begin] & bit != 0 { return .proved }
        return found[begin] & bit == 0 ? .refuted : .open
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
