/// A question for the Ethernet address of a host, or the answer (RFC 826).
struct ARPPacket {
    static var byteCount: Int { 28 }

    enum Operation: UInt16 {
        case request = 1
        case reply = 2
    }

    var operation: Operation
    var senderHardware: EthernetAddress
    var sender: IPv4Address
    var targetHardware: EthernetAddress
    var target: IPv4Address

    init(
        _ operation: Operation,
        from senderHardware: EthernetAddress,
        _ sender: IPv4Address,
        to targetHardware: EthernetAddress,
        _ target: IPv4Address
    ) {
        self.operation = operation
        self.senderHardware = senderHardware
        self.sender = sender
        self.targetHardware = targetHardware
        self.target = target
    }

    /// Nil for what is none of Ethernet and IPv4, or cannot be.
    init?(_ frame: RawSpan, at start: Int) {
        let (ethernet, lengths): (UInt16, UInt16) = (1, 0x0604)
        guard frame.byteCount >= start + Self.byteCount,
            frame.big16(start) == ethernet, frame.big16(start + 2) == EthernetHeader.ipv4,
            frame.big16(start + 4) == lengths,
            let operation = Operation(rawValue: frame.big16(start + 6))
        else { return nil }
        self.operation = operation
        senderHardware = EthernetAddress(frame.big16(start + 8), frame.big32(start + 10))
        sender = IPv4Address(bits: frame.big32(start + 14))
        targetHardware = EthernetAddress(frame.big16(start + 18), frame.big32(start + 20))
        target = IPv4Address(bits: frame.big32(start + 24))
        guard senderHardware.isOne else { return nil }
    }

    func write(to frame: inout MutableRawSpan, at start: Int) {
        frame.put(1 as UInt16, at: start)
        frame.put(EthernetHeader.ipv4, at: start + 2)
        frame.put(0x0604 as UInt16, at: start + 4)
        frame.put(operation.rawValue, at: start + 6)
        frame.put(senderHardware.high, at: start + 8)
        frame.put(senderHardware.low, at: start + 10)
        frame.put(sender.bits, at: start + 14)
        frame.put(targetHardware.high, at: start + 18)
        frame.put(targetHardware.low, at: start + 20)
        frame.put(target.bits, at: start + 24)
    }
}
