/// Numbers in frames, which are big-endian throughout (RFC 1700). All of it traps outside of the span:
/// whoever reads has checked the length before.
///
/// A frame may lie where its device can still write. So each field is read once, and what was checked is
/// what is used.
extension RawSpan {
    func byte(_ offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }

    func big16(_ offset: Int) -> UInt16 {
        UInt16(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    func big32(_ offset: Int) -> UInt32 {
        UInt32(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// As the processor has it, for sums whose order does not matter.
    func native32(_ offset: Int) -> UInt32 {
        unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
}

extension MutableRawSpan {
    mutating func put(_ value: UInt8, at offset: Int) {
        storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
    }

    mutating func put(_ value: UInt16, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    mutating func put(_ value: UInt32, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }

    /// Copies `source[from...]`, as much as `count` says.
    mutating func copy(_ source: RawSpan, from start: Int, count: Int, to offset: Int) {
        precondition(start >= 0 && count >= 0 && start <= source.byteCount - count)
        precondition(offset >= 0 && offset <= byteCount - count)
        withUnsafeMutableBytes { target in
            source.withUnsafeBytes { source in
                guard count > 0 else { return }
                (target.baseAddress! + offset).copyMemory(
                    from: source.baseAddress! + start,
                    byteCount: count
                )
            }
        }
    }
}

/// Lends a part of an array.
func withPart(
    _ range: Range<Int>,
    of bytes: inout [UInt8],
    _ body: (inout MutableRawSpan) -> Void
) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    bytes.withUnsafeMutableBytes { all in
        let part = UnsafeMutableRawBufferPointer(rebasing: all[range])
        var span = part.mutableBytes
        body(&span)
    }
}
