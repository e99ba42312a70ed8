/// The head of an Ethernet frame (IEEE 802.3, section 3; RFC 894).
struct EthernetHeader {
    static var byteCount: Int { 14 }

    var destination: EthernetAddress
    var source: EthernetAddress
    var type: UInt16

    static var ipv4: UInt16 { 0x0800 }
    static var arp: UInt16 { 0x0806 }

    init(destination: EthernetAddress, source: EthernetAddress, type: UInt16) {
        self.destination = destination
        self.source = source
        self.type = type
    }

    /// Nil for a frame that is too short for one.
    init?(_ frame: RawSpan) {
        guard frame.byteCount >= Self.byteCount else { return nil }
        destination = EthernetAddress(frame.big16(0), frame.big32(2))
        source = EthernetAddress(frame.big16(6), frame.big32(8))
        type = frame.big16(12)
    }

    func write(to frame: inout MutableRawSpan) {
        frame.put(destination.high, at: 0)
        frame.put(destination.low, at: 2)
        frame.put(source.high, at: 6)
        frame.put(source.low, at: 8)
        frame.put(type, at: 12)
    }
}
