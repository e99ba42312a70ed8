/// Why a packet is not taken.
enum PacketFault {
    /// Its lengths or its version are impossible.
    case malformed
    case badChecksum
    /// It is a part of a packet; nobody puts them together yet.
    case fragment
}

/// The head of a packet (RFC 791, section 3.1). Options are passed over.
struct IPv4Header {
    /// Without options.
    static var byteCount: Int { 20 }

    static var icmp: UInt8 { 1 }

    var source: IPv4Address
    var destination: IPv4Address
    var protocolNumber: UInt8
    /// Where the contents lie in the frame.
    var payload: Range<Int>

    private init(
        _ source: IPv4Address,
        _ destination: IPv4Address,
        _ protocolNumber: UInt8,
        _ payload: Range<Int>
    ) {
        self.source = source
        self.destination = destination
        self.protocolNumber = protocolNumber
        self.payload = payload
    }

    enum Reading {
        case packet(IPv4Header)
        case fault(PacketFault)
    }

    /// Reads and checks the head of the packet that begins at `start`; the frame may be longer than the
    /// packet, as short ones are filled up.
    static func read(_ frame: RawSpan, at start: Int) -> Reading {
        let room = frame.byteCount - start
        guard room >= byteCount else { return .fault(.malformed) }
        let first = frame.byte(start)
        let headerSize = Int(first & 15) * 4
        let total = Int(frame.big16(start + 2))
        guard first >> 4 == 4, headerSize >= byteCount, total >= headerSize, total <= room else {
            return .fault(.malformed)
        }
        guard frame.checksum(start..<start + headerSize) == 0 else { return .fault(.badChecksum) }
        // More fragments, and an offset.
        guard frame.big16(start + 6) & 0x3fff == 0 else { return .fault(.fragment) }
        return .packet(
            IPv4Header(
                IPv4Address(bits: frame.big32(start + 12)),
                IPv4Address(bits: frame.big32(start + 16)),
                frame.byte(start + 9),
                start + headerSize..<start + total
            )
        )
    }

    /// Writes the head of a packet that is never taken apart, and so needs no number (RFC 6864, section
    /// 4.1).
    static func write(
        to frame: inout MutableRawSpan,
        at start: Int,
        from source: IPv4Address,
        to destination: IPv4Address,
        _ protocolNumber: UInt8,
        payloadSize: Int
    ) {
        let (versionAndSize, lifetime): (UInt8, UInt8) = (0x45, 64)
        let doNotFragment: UInt16 = 0x4000
        frame.put(versionAndSize, at: start)
        frame.put(0 as UInt8, at: start + 1)
        frame.put(UInt16(byteCount + payloadSize), at: start + 2)
        frame.put(0 as UInt16, at: start + 4)
        frame.put(doNotFragment, at: start + 6)
        frame.put(lifetime, at: start + 8)
        frame.put(protocolNumber, at: start + 9)
        frame.put(0 as UInt16, at: start + 10)
        frame.put(source.bits, at: start + 12)
        frame.put(destination.bits, at: start + 16)
        frame.put(frame.bytes.checksum(start..<start + byteCount), at: start + 10)
    }
}
