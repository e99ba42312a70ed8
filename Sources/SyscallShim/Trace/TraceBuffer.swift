/// Text of a fixed capacity, the line that a trace is writing. What does not fit is dropped and
/// leaves a mark: tracing allocates nothing a line.
struct TraceBuffer {
    let base: UnsafeMutablePointer<UInt8>
    let capacity: Int
    private(set) var count = 0
    /// Text beyond it is dropped, so that the end of a line keeps its room.
    var limit: Int
    private(set) var isCut = false
    /// Where structures of the program's memory are read to.
    let scratch: UnsafeMutableRawBufferPointer

    static let scratchSize = 256

    init(capacity: Int) {
        base = .allocate(capacity: capacity + TraceBuffer.scratchSize)
        scratch = UnsafeMutableRawBufferPointer(
            start: base + capacity,
            count: TraceBuffer.scratchSize
        )
        self.capacity = capacity
        limit = capacity
    }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    mutating func removeAll() {
        count = 0
        isCut = false
    }

    /// Goes back to an earlier `count`.
    mutating func truncate(to count: Int) {
        guard count < self.count else { return }
        self.count = count
        isCut = false
    }

    /// Ends what was cut and gives the rest of the room free.
    mutating func closeCut(newLimit: Int) {
        limit = newLimit
        guard isCut else { return }
        isCut = false
        append("...")
    }

    @inline(never)
    mutating func append(byte: UInt8) {
        guard count < limit else {
            isCut = true
            return
        }
        base[count] = byte
        count &+= 1
    }

    @inline(never)
    mutating func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ text: UnsafeRawBufferPointer) {
        for byte in text { append(byte: byte) }
    }

    /// A number in a base up to 16, at least `width` digits long.
    @inline(never)
    mutating func append(_ number: UInt64, base: UInt64 = 10, width: Int = 1) {
        var digits = InlineArray<22, UInt8>(repeating: 0x30)
        var length = 0
        var rest = number
        while rest != 0 || length < min(width, 22) {
            let digit = UInt8(truncatingIfNeeded: rest % base)
            digits[length] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest /= base
            length &+= 1
        }
        while length > 0 {
            length &-= 1
            append(byte: digits[length])
        }
    }

    @inline(never)
    mutating func append(_ number: Int) {
        if number < 0 { append(byte: 0x2d) }
        append(UInt64(number.magnitude))
    }

    /// As printf's `%#x`.
    @inline(never)
    mutating func append(hexadecimal number: UInt64) {
        if number != 0 { append("0x") }
        append(number, base: 16)
    }

    /// As printf's `%#o`, at least three digits.
    mutating func append(octal number: UInt64) {
        if number != 0 { append(byte: 0x30) }
        append(number, base: 8, width: number == 0 ? 3 : 2)
    }

    /// NULL or a hexadecimal number.
    mutating func append(address: UInt) {
        if address == 0 { append("NULL") } else { append(hexadecimal: UInt64(address)) }
    }

    /// Spaces up to a column.
    mutating func pad(to column: Int) {
        while count < column, count < limit { append(byte: 0x20) }
    }
}

// MARK: Strings

extension TraceBuffer {
    /// Bytes as C writes them between quotes: what cannot be printed becomes the shortest octal
    /// escape that the byte behind it does not change.
    mutating func append(escaping bytes: UnsafeRawBufferPointer) {
        for index in 0..<bytes.count {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            append(escaped: bytes[index], before: next)
        }
    }

    mutating func append(escaped byte: UInt8, before next: UInt8) {
        switch byte {
        case 0x22: append("\\\"")
        case 0x5c: append("\\\\")
        case 0x09: append("\\t")
        case 0x0a: append("\\n")
        case 0x0b: append("\\v")
        case 0x0c: append("\\f")
        case 0x0d: append("\\r")
        case 0x20...0x7e: append(byte: byte)
        default:
            append(byte: 0x5c)
            append(UInt64(byte), base: 8, width: (0x30...0x37).contains(next) ? 3 : 1)
        }
    }
}
