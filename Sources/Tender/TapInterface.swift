import Glibc
import SystemPackage
import TenderSupport

/// The host's end of a machine's network: an interface whose other end is an open /dev/net/tun, which
/// QEMU reads and writes.
struct TapInterface {
    let name: String
    let descriptor: Int32
    /// Bytes of the largest packet that both ends take.
    let packetLimit: Int
    /// What the machine's card is called: the same each time that it has the same address, so that
    /// others need not ask anew.
    let cardAddress: String
    /// What the user has to know to reach the machine; nil where all is ready.
    let notice: String?

    private static let device = "/dev/net/tun"
    /// What virtio cards take without more (virtio 1.2, section 5.1.4.1), and the least of IPv4.
    private static let packetLimits = 68...1500

    /// - Parameters:
    ///   - name: an interface that is there; nil to make one.
    ///   - address: the machine's.
    init(name: String?, address: HostAddress) throws(LaunchFailure) {
        if let name, tender_interface_is_up(name) < 0 {
            throw LaunchFailure(
                "there is no network interface \(name); make it: "
                    + "ip tuntap add dev \(name) mode tap user $(id -un)"
            )
        }
        descriptor = openFile(Self.device, O_RDWR)
        guard descriptor >= 0 else { throw Self.failureToOpen(errno) }
        var given = [CChar](repeating: 0, count: Int(TENDER_INTERFACE_NAME_SIZE))
        let result = tender_attach_tap(descriptor, name ?? "", &given)
        guard result == 0 else { throw Self.failureToAttach(name, -result) }
        let own = String(
            decoding: given.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
        self.name = own
        let limit = Int(tender_interface_mtu(own))
        packetLimit = min(max(limit, Self.packetLimits.lowerBound), Self.packetLimits.upperBound)
        cardAddress = Self.cardAddress(address)
        notice = Self.notice(own, isNew: name == nil)
    }

    /// Of the addresses that anybody may give out (IEEE 802c), with the machine's own in it.
    private static func cardAddress(_ address: HostAddress) -> String {
        let octets =
            [0x02, 0x55] + (0..<4).map { Int(address.bits >> (24 - 8 * UInt32($0)) & 255) }
        return octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    /// One that was made by others stays as they want it.
    private static func notice(_ name: String, isNew: Bool) -> String? {
        guard isNew else {
            return tender_interface_is_up(name) == 1
                ? nil
                : "nothing passes the interface \(name) until it is up: ip link set \(name) up"
        }
        let result = tender_bring_interface_up(name)
        let state = result == 0 ? "" : "; it is down: \(Errno(rawValue: -result).description)"
        return "the network is at the interface \(name)\(state)"
    }

    // MARK: Failures

    private static func failureToOpen(_ error: Int32) -> LaunchFailure {
        let reason = Errno(rawValue: error).description
        switch error {
        case ENOENT, ENODEV, ENXIO:
            return LaunchFailure(
                "cannot make a network: this host has no \(device) (\(reason)); try: modprobe tun"
            )
        case EACCES, EPERM:
            return LaunchFailure(
                "cannot make a network: \(device): \(reason); run as root, or let your user open it"
            )
        default: return LaunchFailure("cannot make a network: \(device): \(reason)")
        }
    }

    private static func failureToAttach(_ name: String?, _ error: Int32) -> LaunchFailure {
        let reason = Errno(rawValue: error).description
        let what = name.map { "use the interface \($0)" } ?? "make a network interface"
        switch error {
        case EPERM, EACCES:
            let advice =
                name.map { "ask root for: ip tuntap add dev \($0) mode tap user $(id -un)" }
                ?? "run as root, or ask root for an interface and name it: --network tap:NAME"
            return LaunchFailure("cannot \(what): \(reason); \(advice)")
        case EBUSY:
            return LaunchFailure("cannot \(what): another program uses it; give each its own")
        case EINVAL:
            return LaunchFailure("cannot \(what): it is no tap, or one of several queues")
        default: return LaunchFailure("cannot \(what): \(reason)")
        }
    }
}
