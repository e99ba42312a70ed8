import Registers

/// A network card (virtio 1.2, section 5.1): Ethernet frames each way, whole and without any part of
/// their checksums left to the device. They are read and written where the device has them.
public struct NetworkDevice<Registers: DeviceTransport> {
    /// The card's own address; all zero when the device names none.
    public let address: InlineArray<6, UInt8>
    /// Bytes of the largest packet in a frame.
    public let packetLimit: Int
    private let device: Device<Registers>
    private var inbox: Inbox<Registers>
    private let sending: DeviceQueue<Registers>
    /// Pieces of `NetworkLimits.pieceSize`, and which of them the device has.
    private let outgoing: SharedMemory
    private var isSending: UInt32 = 0
    /// By token: the piece that is sent.
    private var pieces = InlineArray<32, UInt8>(repeating: 0)
    /// The piece whose room was given last.
    private var nextPiece: Int?

    public init(_ transport: Registers, _ allocate: AllocateShared) throws(DeviceFault) {
        let wanted: Features = [.networkAddress, .networkPacketLimit, .networkStatus]
        device = try Device(transport, wanted: wanted)
        let count = NetworkLimits.pieceCount
        let size = NetworkLimits.pieceSize
        inbox = try Inbox(device, 0, pieces: count, ofSize: size, allocate)
        sending = try device.makeQueue(1, size: count, least: 1, allocate)
        guard let outgoing = allocate(count * size) else { throw .noMemory }
        self.outgoing = outgoing
        var address = InlineArray<6, UInt8>(repeating: 0)
        if device.features.contains(.networkAddress) {
            for index in 0..<6 { address[index] = device.configuration8(index) }
        }
        self.address = address
        let told = device.features.contains(.networkPacketLimit) ? device.configuration16(10) : 1500
        packetLimit = min(max(Int(told), 68), 1500)
        sending.queue.disableInterrupt()
        device.start()
        inbox.open()
    }

    public func acknowledgeInterrupt() { device.transport.acknowledgeInterrupt() }

    /// Whether there is a network at the card's other end (5.1.4); a card that does not say has one.
    public var hasLink: Bool {
        !device.features.contains(.networkStatus) || device.configuration16(6) & 1 != 0
    }

    // MARK: Sending

    /// Where the next frame is written, header and packet; nil when the device has too much to send
    /// already, and then an interrupt tells when it has not. It is zero, or holds what was written to it
    /// before.
    public mutating func room() throws(QueueFault) -> UnsafeMutableRawBufferPointer? {
        try takeSent()
        if !hasRoom {
            guard sending.queue.enableInterrupt() else { return nil }
            try takeSent()
            guard hasRoom else { return nil }
        }
        sending.queue.disableInterrupt()
        let piece = (~isSending).trailingZeroBitCount
        nextPiece = piece
        let start = piece * NetworkLimits.pieceSize + NetworkLimits.headerSize
        return outgoing.part(start, NetworkLimits.frameLimit).bytes
    }

    private var hasRoom: Bool { isSending != .max && sending.queue.room > 0 }

    private mutating func takeSent() throws(QueueFault) {
        while let chain = try sending.queue.take() {
            isSending &= ~(1 << UInt32(pieces[Int(chain.token)]))
        }
    }

    /// Sends the first `length` bytes of the room that was given last.
    public mutating func send(_ length: Int) {
        guard let piece = nextPiece else { return }
        nextPiece = nil
        precondition(length <= NetworkLimits.frameLimit)
        let header = NetworkLimits.headerSize
        let memory = outgoing.part(piece * NetworkLimits.pieceSize, header + length)
        // Nothing is asked of the device: all of the header is zero.
        memory.part(0, header).bytes.initializeMemory(as: UInt8.self, repeating: 0)
        guard let token = sending.queue.offer(memory.buffer(isWritten: false)) else { return }
        isSending |= 1 << UInt32(piece)
        pieces[Int(token)] = UInt8(piece)
        sending.notify()
    }

    // MARK: Receiving

    /// The next frame, until this is called again; nil when there is none, and then an interrupt tells
    /// of the next. The device may write to it all the time.
    public mutating func receive() throws(QueueFault) -> UnsafeRawBufferPointer? {
        while let bytes = try inbox.take() {
            // The device may say that it wrote less than a header.
            guard bytes.count > NetworkLimits.headerSize else { continue }
            return UnsafeRawBufferPointer(rebasing: bytes[NetworkLimits.headerSize...])
        }
        return nil
    }
}

private enum NetworkLimits {
    static var pieceCount: Int { 32 }
    static var pieceSize: Int { 2048 }
    /// `struct virtio_net_hdr` (5.1.6).
    static var headerSize: Int { 12 }
    static var frameLimit: Int { 1514 }
}

extension Features {
    // 5.1.3
    fileprivate static var networkPacketLimit: Features { Features(rawValue: 1 << 3) }
    fileprivate static var networkAddress: Features { Features(rawValue: 1 << 5) }
    fileprivate static var networkStatus: Features { Features(rawValue: 1 << 16) }
}
