/// What came and went, and why some of it was dropped.
public struct NetworkCounters: Equatable, Sendable {
    public var framesReceived: UInt64 = 0
    public var framesSent: UInt64 = 0
    /// There was no room to send.
    public var framesUnsent: UInt64 = 0
    /// Not for this host, by the address of frame or packet.
    public var notForUs: UInt64 = 0
    /// Of no protocol that is here.
    public var unknownProtocol: UInt64 = 0
    /// With impossible lengths, versions or addresses.
    public var malformed: UInt64 = 0
    public var badChecksums: UInt64 = 0
    public var fragments: UInt64 = 0
    public var echoRequests: UInt64 = 0
    /// Packets whose next host never said its address, or was never asked for want of room.
    public var unreachable: UInt64 = 0
    /// Another host said that it has this one's address.
    public var addressConflicts: UInt64 = 0

    mutating func count(_ fault: PacketFault) {
        switch fault {
        case .malformed: malformed &+= 1
        case .badChecksum: badChecksums &+= 1
        case .fragment: fragments &+= 1
        }
    }
}
