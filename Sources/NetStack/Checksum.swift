/// The checksum of the Internet protocols (RFC 1071): the complement of a sum in ones' complement,
/// which is the same in any order of bytes.
struct Checksum {
    private var sum: UInt64 = 0

    /// Adds bytes; only the last ones of all may be odd in number.
    mutating func add(_ bytes: RawSpan, _ range: Range<Int>) {
        var offset = range.lowerBound
        while offset + 4 <= range.upperBound {
            sum &+= UInt64(bytes.native32(offset))
            offset += 4
        }
        while offset < range.upperBound {
            let byte = UInt64(bytes.byte(offset))
            sum &+= (offset - range.lowerBound) & 1 == 0 ? byte : byte << 8
            offset += 1
        }
    }

    /// To be stored big-endian where the sum was taken with zero; zero where the right one was there.
    var value: UInt16 {
        var folded = sum
        while folded >> 16 != 0 { folded = folded & 0xffff + folded >> 16 }
        return ~UInt16(truncatingIfNeeded: folded).byteSwapped
    }
}

extension RawSpan {
    func checksum(_ range: Range<Int>) -> UInt16 {
        var checksum = Checksum()
        checksum.add(self, range)
        return checksum.value
    }
}
