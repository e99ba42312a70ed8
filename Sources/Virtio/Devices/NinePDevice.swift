import Registers

/// Messages of 9P to a server of files and back (virtio 1.2, section 5.12; 9P2000.L is what QEMU's server
/// speaks). One request is under way at a time, whatever its tag is.
public struct NinePDevice<Registers: DeviceTransport> {
    /// What the server calls its folder.
    public let tag: SharedMemory
    private let device: Device<Registers>
    private let requests: DeviceQueue<Registers>
    private let sent: SharedMemory
    private let received: SharedMemory
    private var isAsking = false
    /// Of the request that was sent last.
    private var type: UInt8 = 0
    private var number: UInt16 = 0

    /// Size, type and tag of a message.
    private static var headerSize: Int { 7 }
    /// The answer to any request that failed (Rlerror).
    private static var failure: UInt8 { 7 }

    /// - Parameter messageLimit: bytes of the largest message either way.
    public init(_ transport: Registers, messageLimit: Int, _ allocate: AllocateShared)
        throws(DeviceFault)
    {
        device = try Device(transport, wanted: .mountTag)
        requests = try device.makeQueue(0, size: 8, least: 2, allocate)
        guard let sent = allocate(messageLimit), let received = allocate(messageLimit),
            let name = allocate(256)
        else { throw .noMemory }
        self.sent = sent
        self.received = received
        let length =
            device.features.contains(.mountTag) ? min(Int(device.configuration16(0)), 256) : 0
        for index in 0..<length { name.bytes[index] = device.configuration8(2 + index) }
        tag = name.part(0, length)
        device.start()
        _ = requests.queue.enableInterrupt()
    }

    public func acknowledgeInterrupt() { device.transport.acknowledgeInterrupt() }

    /// A request is written here while none is under way; its first four bytes are its size.
    public var outgoing: UnsafeMutableRawBufferPointer { sent.bytes }

    /// Sends the request; false when its size is none, one is under way, or the device is broken.
    public mutating func ask() -> Bool {
        let size = Int(device_load32(sent.pointer))
        guard !isAsking, size >= NinePDevice.headerSize, size <= sent.size else { return false }
        type = sent.bytes[4]
        number = sent.bytes.loadUnaligned(fromByteOffset: 5, as: UInt16.self)
        var chain = InlineArray<2, Buffer>(repeating: sent.part(0, size).buffer(isWritten: false))
        chain[1] = received.buffer(isWritten: true)
        let token = withUnsafePointer(to: &chain) { pointer in
            pointer.withMemoryRebound(to: Buffer.self, capacity: 2) {
                requests.queue.offer(UnsafeBufferPointer(start: $0, count: 2))
            }
        }
        isAsking = token != nil
        requests.notify()
        return isAsking
    }

    /// The answer, until the next request; nil while there is none. It is empty when it is none to that
    /// request: an answer has its tag, and the type after its own.
    public mutating func takeAnswer() throws(QueueFault) -> UnsafeRawBufferPointer? {
        guard isAsking, let chain = try requests.queue.take() else { return nil }
        isAsking = false
        _ = requests.queue.enableInterrupt()
        let bytes = UnsafeRawBufferPointer(rebasing: received.bytes[..<Int(chain.length)])
        guard bytes.count >= NinePDevice.headerSize else { return nothing }
        let size = Int(bytes.loadUnaligned(as: UInt32.self))
        guard size >= NinePDevice.headerSize, size <= bytes.count,
            bytes[4] == type &+ 1 || bytes[4] == NinePDevice.failure,
            bytes.loadUnaligned(fromByteOffset: 5, as: UInt16.self) == number
        else { return nothing }
        return UnsafeRawBufferPointer(rebasing: bytes[..<size])
    }

    private var nothing: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }
}

extension Features {
    // 5.12.3
    fileprivate static var mountTag: Features { Features(rawValue: 1 << 0) }
}
