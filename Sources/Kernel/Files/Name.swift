import Platform

/// One component of a path: bytes that somebody else keeps, and their hash.
struct Name {
    let bytes: UnsafePointer<UInt8>
    private let length: UInt32
    let hash: UInt32

    var count: Int { Int(length) }

    /// NAME_MAX
    static let longest = 255

    @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>, count: Int, hash: UInt32) {
        self.bytes = bytes
        length = UInt32(truncatingIfNeeded: count)
        self.hash = hash
    }

    @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>, count: Int) {
        self.init(bytes, count: count, hash: Name.hash(bytes, count))
    }

    init(_ bytes: UnsafeRawBufferPointer) {
        self.init(bytes.baseAddress!.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    }

    /// A name of the kernel's own.
    init(_ text: StaticString) {
        self.init(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Takes eight bytes at a step, since the multiplications wait for each other.
    @inline(__always)
    private static func hash(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> UInt32 {
        var hash = UInt64(truncatingIfNeeded: count)
        var index = 0
        while index &+ 8 <= count {
            hash = mix(hash, word(bytes, index))
            index &+= 8
        }
        var rest: UInt64 = 0
        while index < count {
            rest = rest << 8 | UInt64(bytes[index])
            index &+= 1
        }
        return UInt32(truncatingIfNeeded: mix(hash, rest))
    }

    @inline(__always)
    private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
        let product = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
        return product ^ product >> 32
    }

    @inline(__always)
    private static func word(_ bytes: UnsafePointer<UInt8>, _ index: Int) -> UInt64 {
        UnsafeRawPointer(bytes + index).loadUnaligned(as: UInt64.self)
    }

    var isDot: Bool { count == 1 && bytes[0] == 0x2e }
    var isDotDot: Bool { count == 2 && bytes[0] == 0x2e && bytes[1] == 0x2e }

    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

    @inline(__always)
    func equals(_ other: UnsafePointer<UInt8>, _ otherCount: Int) -> Bool {
        guard count == otherCount else { return false }
        var index = 0
        while index &+ 8 <= count {
            guard Name.word(bytes, index) == Name.word(other, index) else { return false }
            index &+= 8
        }
        while index < count {
            guard bytes[index] == other[index] else { return false }
            index &+= 1
        }
        return true
    }

    func equals(_ text: StaticString) -> Bool { equals(text.utf8Start, text.utf8CodeUnitCount) }
}
