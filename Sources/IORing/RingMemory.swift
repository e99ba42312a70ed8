import Kernel
import LinuxABI

/// The memory that a ring shares with its program: heads, tails and entries.
///
/// Nothing in it is believed but as an index that is cut to size.
final class RingMemory {
    let submissions: UInt32
    let completions: UInt32
    private let rings: (frame: Frame, order: Int)
    private let entries: (frame: Frame, order: Int)
    private let base: UnsafeMutableRawPointer

    /// Where the parts of the first area are.
    enum Place: Int {
        case submissionHead = 0
        case submissionTail = 4
        case completionHead = 64
        case completionTail = 68
        case submissionMask = 128
        case completionMask = 132
        case submissionCount = 136
        case completionCount = 140
        case dropped = 144
        case submissionFlags = 148
        case completionFlags = 152
        case lost = 156
        case completionEntries = 192
    }

    /// Throws `noMemory`.
    init(_ submissions: UInt32, _ completions: UInt32) throws(Errno) {
        self.submissions = submissions
        self.completions = completions
        let size =
            Place.completionEntries.rawValue + Int(completions) * CompletionEntry.size
            + Int(submissions) * 4
        let order = RingMemory.order(size)
        let entryOrder = RingMemory.order(Int(submissions) * SubmissionEntry.size)
        // A class's initialiser that throws late leaks the object: both are had before it is whole.
        let frame = try FrameAllocator.allocateZeroed(order: order)
        let entryFrame: Frame
        do throws(Errno) {
            entryFrame = try FrameAllocator.allocateZeroed(order: entryOrder)
        } catch {
            FrameAllocator.free(frame, order: order)
            throw error
        }
        rings = (frame, order)
        entries = (entryFrame, entryOrder)
        base = frame.address
        self[.submissionMask] = submissions - 1
        self[.completionMask] = completions - 1
        self[.submissionCount] = submissions
        self[.completionCount] = completions
    }

    deinit {
        FrameAllocator.free(rings.frame, order: rings.order)
        FrameAllocator.free(entries.frame, order: entries.order)
    }

    private static func order(_ size: Int) -> Int {
        let pages = (size + 4095) >> 12
        return Int.bitWidth - (pages - 1).leadingZeroBitCount
    }

    subscript(place: Place) -> UInt32 {
        get { base.load(fromByteOffset: place.rawValue, as: UInt32.self) }
        set { base.storeBytes(of: newValue, toByteOffset: place.rawValue, as: UInt32.self) }
    }

    var arrayOffset: Int {
        Place.completionEntries.rawValue + Int(completions) * CompletionEntry.size
    }

    /// What the program put at a position of its array.
    func index(at position: UInt32) -> UInt32 {
        let place = Int(position & (submissions - 1))
        return base.load(fromByteOffset: arrayOffset + place * 4, as: UInt32.self)
    }

    func submission(_ index: UInt32) -> SubmissionEntry {
        entries.frame.address.load(
            fromByteOffset: Int(index) * SubmissionEntry.size,
            as: SubmissionEntry.self
        )
    }

    func store(_ entry: CompletionEntry, at position: UInt32) {
        let place = Int(position & (completions - 1))
        base.storeBytes(
            of: entry,
            toByteOffset: Place.completionEntries.rawValue + place * CompletionEntry.size,
            as: CompletionEntry.self
        )
    }

    /// The pages behind IORING_OFF_SQ_RING, IORING_OFF_CQ_RING, which are the same, and IORING_OFF_SQES.
    func pages(at offset: UInt64) throws(Errno) -> MappedPages {
        guard offset < 0x1800_0000 else { throw .noMemory }
        let area = offset < 0x1000_0000 ? rings : entries
        let first = Int(offset & 0x07ff_ffff) >> 12
        guard first < 1 << area.order else { return .beyondEnd }
        let frame = Frame(number: area.frame.number + UInt32(first))
        return .frames(frame, pages: 1 << area.order - first)
    }
}
