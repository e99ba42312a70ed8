/// A `syscall` instruction of a program's file that was executed once: where it is, and what the
/// call was. One little-endian `u64` in the launch record, in a `ControlMessage` and in the cache.
public struct KnownSite: Equatable, Sendable {
    /// How many are kept of one program.
    public static let limit = 4096
    public static let encodedSize = 8

    /// What is added to the program's load address, less than 2^48.
    public let offset: UInt64
    /// What %rax held, less than 2^16.
    public let number: UInt64

    /// Nil for a place or a number that no program has.
    public init?(offset: UInt64, number: UInt64) {
        guard offset >> 48 == 0, number >> 16 == 0 else { return nil }
        self.offset = offset
        self.number = number
    }

    public init(word: UInt64) {
        offset = word & (1 << 48 - 1)
        number = word >> 48
    }

    public var word: UInt64 { offset | number << 48 }
}
