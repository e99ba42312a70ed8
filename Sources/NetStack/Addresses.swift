/// The address of a card on an Ethernet (IEEE 802, section 8.2).
public struct EthernetAddress: Equatable, Sendable {
    /// Its six octets; the first is the highest of them.
    public let bits: UInt64

    public init(bits: UInt64) { self.bits = bits & 0xffff_ffff_ffff }

    public init(_ high: UInt16, _ low: UInt32) { bits = UInt64(high) << 32 | UInt64(low) }

    static var byteCount: Int { 6 }
    public static var broadcast: EthernetAddress { EthernetAddress(bits: .max) }

    /// Of a group of cards, or of all.
    public var isGroup: Bool { bits >> 40 & 1 != 0 }
    /// May be one card's.
    public var isOne: Bool { !isGroup && bits != 0 }

    var high: UInt16 { UInt16(bits >> 32) }
    var low: UInt32 { UInt32(truncatingIfNeeded: bits) }
}

/// An address of version 4 of the Internet protocol.
public struct IPv4Address: Equatable, Sendable {
    /// Of `1.2.3.4` the 1 is the highest octet.
    public let bits: UInt32

    public init(bits: UInt32) { self.bits = bits }

    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    public static var unspecified: IPv4Address { IPv4Address(bits: 0) }
    static var broadcast: IPv4Address { IPv4Address(bits: .max) }

    /// Whether it may be one host's on a network (RFC 1122, section 3.2.1.3; RFC 6890).
    public var isHost: Bool {
        let (isThisNetwork, isLoopback) = (bits >> 24 == 0, bits >> 24 == 127)
        let isGroupOrReserved = bits >= 0xe000_0000
        return !isThisNetwork && !isLoopback && !isGroupOrReserved
    }
}

/// The address that a host has on a network, and how much of it is the network's.
public struct IPv4Interface: Equatable, Sendable {
    public let address: IPv4Address
    /// 1 to 31. Of two hosts on a network of 31 bits neither address is for all (RFC 3021).
    public let prefixLength: Int

    /// Nil for what no host can have there.
    public init?(address: IPv4Address, prefixLength: Int) {
        guard (1...31).contains(prefixLength), address.isHost else { return nil }
        self.address = address
        self.prefixLength = prefixLength
        guard isHostHere(address) else { return nil }
    }

    private var hostMask: UInt32 { .max >> UInt32(prefixLength) }

    /// Whether an address belongs to the same network.
    func isOnLink(_ other: IPv4Address) -> Bool {
        (other.bits ^ address.bits) & ~hostMask == 0
    }

    /// Whether a host of this network may have the address: the first is the network's own, the last
    /// for all.
    func isHostHere(_ other: IPv4Address) -> Bool {
        guard isOnLink(other), other.isHost else { return false }
        let host = other.bits & hostMask
        return prefixLength == 31 || host != 0 && host != hostMask
    }

    /// Whether it is the address of all hosts, or of all on this network.
    func isBroadcast(_ other: IPv4Address) -> Bool {
        other == .broadcast
            || prefixLength < 31 && isOnLink(other) && other.bits & hostMask == hostMask
    }
}
