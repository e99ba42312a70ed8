import Registers

/// A network card (virtio 1.2, section 5.1): Ethernet frames each way, whole and without any part of
/// their checksums left to the device.
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

    public init(_ transport: Registers, _ allocate: AllocateShared) throws(DeviceFault) {
        device = try Device(transport, wanted: [.networkAddress, .networkPacketLimit])
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

    /// Sends a frame, header and packet; false while there is no room for it.
    ///
    /// - Precondition: it is no longer than a header of 14 bytes and `packetLimit`.
    public mutating func send(_ frame: UnsafeRawBufferPointer) throws(QueueFault) -> Bool {
        precondition(frame.count <= NetworkLimits.frameLimit)
        while let chain = try sending.queue.take() {
            isSending &= ~(1 << UInt32(pieces[Int(chain.token)]))
        }
        let piece = (~isSending).trailingZeroBitCount
        guard piece < NetworkLimits.pieceCount else { return false }
        let header = NetworkLimits.headerSize
        let memory = outgoing.part(piece * NetworkLimits.pieceSize, header + frame.count)
        // Nothing is asked of the device: all of the header is zero.
        memory.part(0, header).bytes.initializeMemory(as: UInt8.self, repeating: 0)
        UnsafeMutableRawBufferPointer(rebasing: memory.bytes[header...]).copyMemory(from: frame)
        guard let token = sending.queue.offer(memory.buffer(isWritten: false)) else { return false }
        isSending |= 1 << UInt32(piece)
        pieces[Int(token)] = UInt8(piece)
        sending.notify()
        return true
    }

    /// Takes the next frame; its length, or nil when there is none, and then an interrupt tells of the
    /// next. What does not fit is cut off.
    public mutating func receive(into target: UnsafeMutableRawBufferPointer)
        throws(QueueFault) -> Int?
    {
        let header = NetworkLimits.headerSize
        while let bytes = try inbox.take() {
            // The device may say that it wrote less than a header.
            guard bytes.count > header else { continue }
            let count = min(target.count, bytes.count - header)
            target.copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[header..<header + count])
            )
            inbox.giveBack()
            return count
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
}
