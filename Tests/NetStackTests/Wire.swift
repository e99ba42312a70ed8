import NetStack

/// Collects what a stack sends, as far as there is room.
struct Wire: FrameSink {
    var frames: [[UInt8]] = []
    var room = Int.max

    mutating func send(length: Int, _ write: (inout MutableRawSpan) -> Void) -> Bool {
        guard frames.count < room else { return false }
        // What is not written shows.
        var frame = [UInt8](repeating: 0xa5, count: length)
        var elements = frame.mutableSpan
        var bytes = elements.mutableBytes
        write(&bytes)
        frames.append(frame)
        return true
    }
}

/// A stack on a wire, with the time that it is told.
struct Host {
    static let hardware: [UInt8] = [2, 0x55, 10, 0, 0, 2]
    static let peer: [UInt8] = [2, 0, 0, 0, 0, 9]
    static let address: [UInt8] = [10, 0, 0, 2]
    static let peerAddress: [UInt8] = [10, 0, 0, 1]
    static let broadcast = [UInt8](repeating: 0xff, count: 6)
    static let second: UInt64 = 1_000_000_000

    var stack: NetworkStack
    var wire = Wire()
    var time: UInt64 = 5 * second

    init(prefixLength: Int = 24, packetLimit: Int = 1500) {
        stack = NetworkStack(
            NetworkStack.Configuration(
                hardware: EthernetAddress(0x0255, 0x0a00_0002),
                interface: IPv4Interface(
                    address: IPv4Address(10, 0, 0, 2),
                    prefixLength: prefixLength
                )!,
                packetLimit: packetLimit
            )
        )
    }

    /// What the stack sends because of a frame.
    @discardableResult
    mutating func take(_ frame: [UInt8]) -> [[UInt8]] {
        wire.frames = []
        stack.receive(frame.span.bytes, at: time, &wire)
        return wire.frames
    }

    /// What it sends when the time has passed.
    mutating func wait(_ nanoseconds: UInt64) -> [[UInt8]] {
        time += nanoseconds
        wire.frames = []
        stack.run(at: time, &wire)
        return wire.frames
    }

    mutating func start() -> [[UInt8]] {
        wire.frames = []
        stack.start(at: time, &wire)
        return wire.frames
    }

    /// Lets it know the peer.
    mutating func meetPeer() { take(Frame.question()) }
}

/// Frames as they stand on the wire.
enum Frame {
    static func ethernet(
        to destination: [UInt8] = Host.hardware,
        from source: [UInt8] = Host.peer,
        _ type: [UInt8],
        _ contents: [UInt8]
    ) -> [UInt8] { destination + source + type + contents }

    static func arp(
        _ operation: UInt8,
        _ sender: ([UInt8], [UInt8]),
        _ target: ([UInt8], [UInt8])
    ) -> [UInt8] {
        [0, 1, 8, 0, 6, 4, 0, operation] + sender.0 + sender.1 + target.0 + target.1
    }

    /// The peer asks who has an address.
    static func question(
        for address: [UInt8] = Host.address,
        from sender: ([UInt8], [UInt8]) = (Host.peer, Host.peerAddress)
    ) -> [UInt8] {
        let unknown = [UInt8](repeating: 0, count: 6)
        return ethernet(
            to: Host.broadcast,
            from: sender.0,
            [8, 6],
            arp(1, sender, (unknown, address))
        )
    }

    /// What the peer tells when it is asked.
    static var answer: [UInt8] {
        ethernet([8, 6], arp(2, (Host.peer, Host.peerAddress), (Host.hardware, Host.address)))
    }

    /// - Parameter change: of the header, before its checksum is made.
    static func packet(
        to destination: [UInt8] = Host.address,
        from source: [UInt8] = Host.peerAddress,
        _ contents: [UInt8],
        options: [UInt8] = [],
        protocolNumber: UInt8 = 1,
        _ change: (inout [UInt8]) -> Void = { _ in }
    ) -> [UInt8] {
        let size = 20 + options.count + contents.count
        var header: [UInt8] = [
            UInt8(0x45 + options.count / 4), 0, UInt8(size >> 8), UInt8(size & 255), 0x12, 0x34, 0,
            0, 64, protocolNumber, 0, 0,
        ]
        header += source + destination + options
        change(&header)
        put(sum(header), &header, 10)
        return header + contents
    }

    static func echo(_ data: [UInt8], type: UInt8 = 8) -> [UInt8] {
        var message: [UInt8] = [type, 0, 0, 0, 0x77, 0x88, 0, 3] + data
        put(sum(message), &message, 2)
        return message
    }

    static func data(_ size: Int) -> [UInt8] {
        (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) }
    }

    static func ping(_ size: Int = 56) -> [UInt8] { ethernet([8, 0], packet(echo(data(size)))) }

    /// RFC 1071, a word after the other.
    static func sum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            let low = index + 1 < bytes.count ? bytes[index + 1] : 0
            sum += UInt32(bytes[index]) << 8 + UInt32(low)
        }
        while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
        return ~UInt16(sum)
    }

    private static func put(_ value: UInt16, _ bytes: inout [UInt8], _ offset: Int) {
        bytes[offset] = UInt8(value >> 8)
        bytes[offset + 1] = UInt8(value & 255)
    }
}
