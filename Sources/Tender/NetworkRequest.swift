/// What the guest is connected to.
public enum NetworkRequest: Sendable, Equatable {
    /// Nothing.
    case none
    /// An interface of the host, which sees the guest's frames; a new one where no name is given.
    case tap(name: String?)

    /// `none`, `tap` or `tap:NAME`.
    public init(parsing text: String) throws(LaunchFailure) {
        switch text {
        case "none": self = .none
        case "tap": self = .tap(name: nil)
        case _ where text.hasPrefix("tap:"):
            let name = String(text.dropFirst(4))
            guard Self.isInterfaceName(name) else {
                throw LaunchFailure(
                    "network '\(text)': an interface's name has 1 to 15 bytes, and no space, slash or "
                        + "percent sign"
                )
            }
            self = .tap(name: name)
        default:
            throw LaunchFailure(
                "network '\(text)' is none that there is in this version; write none, tap or tap:NAME"
            )
        }
    }

    /// As Linux has it (dev_valid_name); a percent sign asks it for a number.
    private static func isInterfaceName(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && name.utf8.allSatisfy { $0 > UInt8(ascii: " ") && !"/:%".utf8.contains($0) }
    }
}

/// The address of a host, and how many bits of it are its network's.
public struct HostAddress: Sendable, Equatable {
    /// Of `1.2.3.4` the 1 is the highest octet.
    public let bits: UInt32
    public let prefixLength: Int

    /// `10.0.0.2/24`.
    public init(parsing text: String) throws(LaunchFailure) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let bits = Self.bits(parts[0]) else {
            throw LaunchFailure("address '\(text)' is none; write it as 10.0.0.2/24")
        }
        guard parts.count == 2, parts[1].allSatisfy({ $0.isASCII && $0.isNumber }),
            let prefixLength = Int(parts[1]), (1...31).contains(prefixLength)
        else {
            throw LaunchFailure(
                "address '\(text)' does not say how many bits are the network's, 1 to 31; "
                    + "write it as \(parts[0])/24"
            )
        }
        self.bits = bits
        self.prefixLength = prefixLength
        guard isHost else {
            throw LaunchFailure(
                "address '\(text)' is no host's: it means a network, all or many hosts, or none"
            )
        }
    }

    private static func bits(_ text: Substring) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count),
                part.allSatisfy({ $0.isASCII && $0.isNumber }), let octet = UInt8(part)
            else { return nil }
            bits = bits << 8 | UInt32(octet)
        }
        return bits
    }

    /// Whether one host can have it (RFC 1122, section 3.2.1.3): the kernel takes no other.
    private var isHost: Bool {
        let first = bits >> 24
        guard first != 0, first != 127, first < 224 else { return false }
        let mask = UInt32.max >> UInt32(prefixLength)
        return prefixLength == 31 || bits & mask != 0 && bits & mask != mask
    }
}
