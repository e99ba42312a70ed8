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

    /// By distance before the site, as bit sets: what is certain, and what nothing speaks against.
    private var proved: UInt32 = 0
    private var possible: UInt32 = 0

    init(_ text: SiteText) {
        if let boundary = text.knownBoundary {
            proved = BoundaryProof.read(text, from: boundary)
            possible = proved
        } else {
            prove(text)
        }
    }

    enum Verdict { case proved, open, refuted }

    /// Whether an instruction begins `distance` bytes before the site.
    func verdict(_ distance: Int) -> Verdict {
        guard distance > 0, distance <= BoundaryProof.reach else { return .refuted }
        let bit: UInt32 = 1 << UInt32(distance)
        if proved & bit != 0 { return .proved }
        return possible & bit != 0 ? .open : .refuted
    }

    /// The boundaries that decoding from `boundary` passes, if it arrives at the site; none otherwise.
    private static func read(_ text: SiteText, from boundary: Int) -> UInt32 {
        var cursor = boundary
        var passed: UInt32 = 0
        while cursor < text.site {
            let distance = text.site - cursor
            if distance <= reach { passed |= 1 << UInt32(distance) }
            guard let instruction = text.instruction(at: cursor) else { return 0 }
            cursor += Int(instruction.length)
        }
        return cursor == text.site ? passed : 0
    }

    private mutating func prove(_ text: SiteText) {
        let available = min(BoundaryProof.depth, text.site)
        // By the distance at which a reading begins, as far as it arrives at the site: the distances
        // at which it finds boundaries, as a bit set. 0 where it does not arrive.
        var boundaries = InlineArray<81, UInt32>(repeating: 0)
        boundaries[0] = 1
        for distance in stride(from: 1, through: available, by: 1) {
            guard let instruction = text.instruction(at: text.site - distance) else { continue }
            let length = Int(instruction.length)
            guard length <= distance, boundaries[distance - length] != 0 else { continue }
            let own: UInt32 = distance <= BoundaryProof.reach ? 1 << UInt32(distance) : 0
            boundaries[distance] = boundaries[distance - length] | own
        }
        // Readings from far to near: what all and what any of them find, and how many they are.
        var (common, found, readings): (UInt32, UInt32, Int) = (.max, 0, 0)
        let farthest = BoundaryProof.reach + BoundaryProof.maximalInstruction + 1
        for distance in stride(from: available, through: 1, by: -1) {
            if boundaries[distance] != 0 {
                common &= boundaries[distance]
                found |= boundaries[distance]
                readings += 1
            }
            guard distance <= farthest else { continue }
            let judged = distance - BoundaryProof.maximalInstruction - 1
            guard judged > 0, boundaries[judged] != 0 else { continue }
            judge(1 << UInt32(judged), readings, common, found)
        }
        // Too little text lies before these.
        for distance in 1...BoundaryProof.reach
        where distance <= available && distance + BoundaryProof.maximalInstruction >= available
            && boundaries[distance] != 0
        {
            possible |= 1 << UInt32(distance)
        }
    }

    private mutating func judge(_ bit: UInt32, _ readings: Int, _ common: UInt32, _ found: UInt32) {
        if readings < BoundaryProof.quorum || found & bit != 0 { possible |= bit }
        if readings >= BoundaryProof.quorum, common & bit != 0 { proved |= bit }
    }
}
