import Rewriter

/// The true instruction boundaries of a text, by decoding all of it from its beginning.
struct Boundaries {
    private var isStart: [Bool]
    private(set) var sites: [Int] = []
    /// Where relative branches lead, as offsets.
    private(set) var targets: Set<Int> = []

    init(_ text: [UInt8]) {
        var isStart = [Bool](repeating: false, count: text.count)
        var sites: [Int] = []
        var targets: Set<Int> = []
        text.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                isStart[offset] = true
                guard let instruction = InstructionDecoder.decode(bytes, at: offset) else {
                    offset += 1
                    continue
                }
                if instruction.flow == .systemCall { sites.append(offset) }
                offset += Int(instruction.length)
                if instruction.branchSize == 1 {
                    targets.insert(offset + Int(Int8(bitPattern: bytes[offset - 1])))
                } else if instruction.branchSize == 4 {
                    let distance = bytes.loadUnaligned(fromByteOffset: offset - 4, as: Int32.self)
                    targets.insert(offset + Int(distance))
                }
            }
        }
        self.isStart = isStart
        self.sites = sites
        self.targets = targets
    }

    func contains(_ offset: Int) -> Bool { isStart.indices.contains(offset) && isStart[offset] }
}

/// A sample with its boundaries, placed where the loader would place it.
struct SitedProgram {
    var name: String
    var text: [UInt8]
    var address: UInt64
    var boundaries: Boundaries

    static let all: [SitedProgram] = Samples.all.map { program in
        SitedProgram(
            name: program.name,
            text: program.text,
            address: program.isPIE ? 0x10_0000_0000 + program.textAddress : program.textAddress,
            boundaries: Boundaries(program.text)
        )
    }

    /// Whether a branch leads to a boundary near the site that `patched` text traps at.
    func isLanding(_ patched: [UInt8], at site: Int) -> Bool {
        (max(0, site - 24)..<min(site + 24, text.count)).contains { offset in
            boundaries.targets.contains(offset) && boundaries.contains(offset)
                && patched[offset] == 0xcc && text[offset] != 0xcc
        }
    }

    /// %rax at the site: what a `mov` directly before it loads, else some number.
    func number(at site: Int) -> UInt64 {
        guard boundaries.contains(site - 5), text[site - 5] == 0xb8 else { return 0x4321 }
        return text.withUnsafeBytes {
            UInt64($0.loadUnaligned(fromByteOffset: site - 4, as: UInt32.self))
        }
    }
}
