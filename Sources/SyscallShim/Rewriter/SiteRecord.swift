/// What the rewriter knows of one `syscall` instruction.
struct SiteRecord {
    enum State: UInt8 {
        /// The record may be used for another site.
        case unused
        case refused
        case patched
        /// The text is gone, but a thread may still return into the stub.
        case retired
    }

    var state = State.unused
    var reason = RefusalReason.noShape
    var shape = SitePlan.Shape.following
    var address: UInt64
    var traps: UInt64 = 0
    /// What %rax held when the site became known.
    var number: UInt64 = 0
    /// The farthest boundary before the site, in bytes; nil while nobody has looked.
    var boundary: Int?
    /// That was proved here, and not told.
    var isProved = false
    /// Address and length of the stub.
    var stub: UInt64 = 0
    var stubLength = 0
    var map = StubMap()
    var branchTarget: UInt64 = 0
    /// Bytes overwritten at the site, and what they were.
    var patch = PatchedBytes()
    /// Bytes overwritten in padding, for an island.
    var island = PatchedBytes()
    /// First offset behind the padding that the island took.
    var islandEnd = 0

    init(address: UInt64, number: UInt64) {
        self.address = address
        self.number = number
    }

    /// Whether something of `range` is overwritten.
    func covers(_ range: Range<UInt64>) -> Bool {
        !range.isEmpty && (patch.overlaps(range) || island.overlaps(range))
    }

    /// Where the entry returns to after a call from this site.
    var returnAddress: UInt64 {
        guard state == .patched, let offset = map.offset(ofOrigin: 2) else { return address &+ 2 }
        return stub &+ UInt64(offset)
    }
}

/// Up to eight bytes that are written over program text, with what they replace.
struct PatchedBytes {
    var address: UInt64 = 0
    var count = 0
    private var replacement: UInt64 = 0
    private var original: UInt64 = 0
    /// Bit `index`: that byte began an instruction before, and traps now.
    private var traps: UInt8 = 0

    var range: Range<UInt64> { address..<address &+ UInt64(count) }

    /// Appends a byte and what it replaces.
    mutating func append(_ byte: UInt8, over old: UInt8, traps isTrap: Bool) {
        if isTrap { traps |= 1 << UInt8(count) }
        let shift = UInt64(count * 8)
        replacement |= UInt64(byte) << shift
        original |= UInt64(old) << shift
        count += 1
    }

    func replacement(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: replacement >> UInt64(index * 8))
    }

    func original(_ index: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: original >> UInt64(index * 8))
    }

    func isTrap(_ index: Int) -> Bool { traps & (1 << UInt8(index)) != 0 }

    /// Puts the original bytes into `bytes`, a copy of the text from `base`.
    func restore(in bytes: UnsafeMutableRawBufferPointer, from base: UInt64) {
        for index in 0..<count {
            let offset = address &+ UInt64(index) &- base
            guard offset < UInt64(bytes.count) else { continue }
            bytes[Int(offset)] = original(index)
        }
    }

    func overlaps(_ other: Range<UInt64>) -> Bool {
        count > 0 && range.overlaps(other)
    }
}

/// Why a site stays one that traps.
public enum RefusalReason: UInt8, Sendable {
    /// Not in private, file-backed, non-writable text: made at run time, or shared.
    case notPatchableText
    /// The nine bytes by which unwinders recognise a signal frame.
    case signalReturn
    /// No plan: what surrounds the site cannot be moved or is not proved to be code.
    case noShape
    /// No plan's stub can lie where its displacement would have to lead.
    case noStubAddress
    /// The text could not be read or written.
    case memory
    /// The table of sites is full; this site is not in it.
    case tableFull
    /// There is no `syscall` instruction at the address.
    case notSystemCall
}

/// What happened to a caught site. `returnAddress` is where the entry must return to after this
/// call: behind the site, or to the stub's copy of what follows it.
public enum CatchOutcome: Equatable, Sendable {
    case patched(SitePlan.Shape, returnAddress: UInt64)
    /// Patched before; a branch went to the `syscall` itself, which a `mov` shape leaves in place.
    case already(returnAddress: UInt64)
    case notRewritable(RefusalReason)
}

/// One line of the statistics.
public struct SiteReport: Equatable, Sendable {
    public enum Status: Equatable, Sendable {
        case patched(SitePlan.Shape, stub: UInt64)
        case refused(RefusalReason)
    }
    public var address: UInt64
    /// What %rax held when the site became known.
    public var number: UInt64
    public var status: Status
    /// How many times the site was caught, the first time included.
    public var traps: UInt64
    /// How many bytes before the site an instruction begins, with nothing but code from there on; zero
    /// when none is proved, nil when nobody has looked.
    public var boundary: Int?
    /// The boundary was proved here, and not told by `expect`.
    public var isProved: Bool
}
