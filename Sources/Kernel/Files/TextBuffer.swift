/// Text that the kernel writes: what /proc shows. It grows as needed, to a bound.
public struct TextBuffer {
    public private(set) var bytes: [UInt8] = []
    /// Text beyond it is dropped: nothing that /proc shows comes near.
    private static let limit = 1 << 20

    public init() {}

    public mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
    }

    public mutating func append(_ text: UnsafeRawBufferPointer) {
        guard bytes.count + text.count <= TextBuffer.limit else { return }
        bytes.append(contentsOf: text)
    }

    public mutating func append(_ text: [UInt8]) {
        text.withUnsafeBytes { append($0) }
    }

    /// Never inlined: the growth of the array is much code, and there are hundreds of callers.
    @inline(never)
    public mutating func append(byte: UInt8) { bytes.append(byte) }

    /// A number in a base up to 16, at least `width` digits long.
    public mutating func append(
        _ number: UInt64,
        base: UInt64 = 10,
        width: Int = 1,
        padding: UInt8 = 0x30
    ) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        if base == 8, number >> 60 != 0 { return append("overflow") }
        var count = 0
        var rest = number
        repeat {
            let digit = UInt8(truncatingIfNeeded: rest % base)
            digits[count] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest /= base
            count += 1
        } while rest != 0
        for _ in 0..<max(0, width - count) { append(byte: padding) }
        while count > 0 {
            count -= 1
            append(byte: digits[count])
        }
    }

    public mutating func append(_ number: Int) {
        if number < 0 { append(byte: 0x2d) }
        append(UInt64(number.magnitude))
    }

    public mutating func append(_ number: UInt32) { append(UInt64(number)) }
    public mutating func append(_ number: Int32) { append(Int(number)) }

    public mutating func append(hexadecimal number: UInt64, width: Int = 1) {
        append(number, base: 16, width: width)
    }
}
