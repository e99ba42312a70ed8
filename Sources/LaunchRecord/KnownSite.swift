/// A `syscall` instruction of a program's file that was executed once: where it is, what the call
/// was, and what was proved of the instructions before it. One little-endian `u64` in the launch
/// record, in a `ControlMessage` and in the cache.
public struct KnownSite: Equatable, Sendable {
    /// How many are kept of one program.
    public static let limit = 4096
    public static let encodedSize = 8
    /// The farthest boundary that is told, in bytes.
    public static let farthestBoundary = 31

    private static var offsetBits: UInt64 { 42 }
    private static var boundaryBits: UInt64 { 6 }

    /// What is added to the program's load address, less than 2^42.
    public let offset: UInt64
    /// What %rax held, less than 2^16.
    public let number: UInt64
    /// How many bytes before the site an instruction begins, with nothing but code from there on; zero
    /// when none is proved. Nil while nobody has looked.
    public let boundary: Int?

    /// Nil for a place or a number that no program has.
    public init?(offset: UInt64, number: UInt64, boundary: Int? = nil) {
        guard offset >> KnownSite.offsetBits == 0, number >> 16 == 0 else { return nil }
        if let boundary {
            guard boundary >= 0, boundary <= KnownSite.farthestBoundary else { return nil }
        }
        self.offset = offset
        self.number = number
        self.boundary = boundary
    }

    public init(word: UInt64) {
        offset = word & (1 << KnownSite.offsetBits - 1)
        number = word >> 48
        let code = Int(word >> KnownSite.offsetBits & (1 << KnownSite.boundaryBits - 1))
        boundary = code >= 1 && code <= KnownSite.farthestBoundary + 1 ? code - 1 : nil
    }

    public var word: UInt64 {
        let code = UInt64((boundary ?? -1) + 1)
        return offset | code << KnownSite.offsetBits | number << 48
    }
}
