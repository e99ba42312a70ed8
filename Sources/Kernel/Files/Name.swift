import Platform

/// One component of a path: bytes that somebody else keeps, and their hash.
struct Name {
    let bytes: UnsafePointer<UInt8>
    let count: Int
    let hash: UInt32

    /// NAME_MAX
    static let longest = 255

    @inline(__always)
    init(_ bytes: UnsafePointer<UInt8>, count: Int, hash: UInt32) {
        self.bytes = bytes
        self.count = count
        self.hash = hash
    }

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
        count = bytes.count
        var hash = Name.hashStart
        for byte in bytes { hash = Name.hash(hash, byte) }
        self.hash = hash
    }

    /// A name of the kernel's own.
    init(_ text: StaticString) {
        self.init(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    static let hashStart: UInt32 = 0x811c_9dc5

    /// One step of FNV-1a.
    @inline(__always)
    static func hash(_ hash: UInt32, _ byte: UInt8) -> UInt32 {
        (hash ^ UInt32(byte)) &* 0x0100_0193
    }

    var isDot: Bool { count == 1 && bytes[0] == 0x2e }
    var isDotDot: Bool { count == 2 && bytes[0] == 0x2e && bytes[1] == 0x2e }

    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes, count: count) }

    @inline(__always)
    func equals(_ other: UnsafePointer<UInt8>, _ otherCount: Int) -> Bool {
        guard count == otherCount else { return false }
        var index = 0
        while index < count {
            guard bytes[index] == other[index] else { return false }
            index &+= 1
        }
        return true
    }

    func equals(_ text: StaticString) -> Bool { equals(text.utf8Start, text.utf8CodeUnitCount) }
}
