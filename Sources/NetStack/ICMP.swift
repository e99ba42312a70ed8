/// Messages about the Internet protocol itself (RFC 792): echoes are all that is answered.
enum ICMP {
    static var headerSize: Int { 8 }

    static var echoReply: UInt8 { 0 }
    static var echoRequest: UInt8 { 8 }

    enum Message {
        case echoRequest
        /// An answer to what was not asked, or what nobody here takes.
        case other
        case fault(PacketFault)
    }

    static func read(_ frame: RawSpan, _ range: Range<Int>) -> Message {
        guard range.count >= headerSize else { return .fault(.malformed) }
        guard frame.checksum(range) == 0 else { return .fault(.badChecksum) }
        let (kind, code) = (frame.byte(range.lowerBound), frame.byte(range.lowerBound + 1))
        return kind == echoRequest && code == 0 ? .echoRequest : .other
    }

    /// Writes the answer to the request that lies in `range` of another frame: the same number, place
    /// and data.
    static func writeEchoReply(
        to frame: inout MutableRawSpan,
        at start: Int,
        _ request: RawSpan,
        _ range: Range<Int>
    ) {
        frame.put(echoReply, at: start)
        frame.put(0 as UInt8, at: start + 1)
        frame.put(0 as UInt16, at: start + 2)
        frame.copy(
            request,
            from: range.lowerBound + 4,
            count: range.count - 4,
            to: start + 4
        )
        frame.put(frame.bytes.checksum(start..<start + range.count), at: start + 2)
    }
}
