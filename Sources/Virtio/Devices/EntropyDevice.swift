/// A source of random bytes (virtio 1.2, section 5.4).
public struct EntropyDevice<Registers: DeviceTransport> {
    private let requests: DeviceQueue<Registers>
    private let device: Device<Registers>
    private let buffer: SharedMemory
    private var isAsked = false

    /// - Parameter size: bytes of the most that is asked for at once.
    public init(_ transport: Registers, size: Int, _ allocate: AllocateShared) throws(DeviceFault) {
        device = try Device(transport, wanted: [])
        requests = try device.makeQueue(0, size: 4, least: 1, allocate)
        guard let buffer = allocate(size) else { throw .noMemory }
        self.buffer = buffer
        device.start()
    }

    public func acknowledgeInterrupt() { device.transport.acknowledgeInterrupt() }

    /// Asks for bytes, unless it was done before.
    public mutating func ask() {
        guard !isAsked, requests.queue.offer(buffer.buffer(isWritten: true)) != nil else { return }
        isAsked = true
        _ = requests.queue.enableInterrupt()
        requests.notify()
    }

    /// The bytes that came, fewer than asked for if the device has no more; nil while none have.
    public mutating func take() throws(QueueFault) -> UnsafeRawBufferPointer? {
        guard isAsked, let chain = try requests.queue.take() else { return nil }
        isAsked = false
        return UnsafeRawBufferPointer(rebasing: buffer.bytes[..<Int(chain.length)])
    }
}
