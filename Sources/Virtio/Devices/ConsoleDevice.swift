import Registers

/// A console (virtio 1.2, section 5.3) with its first port alone: a stream of bytes each way.
public struct ConsoleDevice<Registers: DeviceTransport> {
    private let device: Device<Registers>
    private var inbox: Inbox<Registers>
    private let sending: DeviceQueue<Registers>
    private let sent: SharedMemory
    private var isSending = false
    private var isToldWhenSent = false
    /// What came and was not read yet.
    private var unread = UnsafeRawBufferPointer(start: nil, count: 0)

    /// - Parameter sendLimit: bytes of the most that is sent at once.
    public init(_ transport: Registers, sendLimit: Int, _ allocate: AllocateShared)
        throws(DeviceFault)
    {
        device = try Device(transport, wanted: Self.size)
        inbox = try Inbox(device, 0, pieces: 16, ofSize: 4096, allocate)
        sending = try device.makeQueue(1, size: 4, least: 1, allocate)
        guard let sent = allocate(sendLimit) else { throw .noMemory }
        self.sent = sent
        sending.queue.disableInterrupt()
        device.start()
        inbox.open()
    }

    public func acknowledgeInterrupt() { device.transport.acknowledgeInterrupt() }

    /// VIRTIO_CONSOLE_F_SIZE
    private static var size: Features { Features(rawValue: 1 << 0) }

    /// What the device says of the window that shows it, if it does; an interrupt tells of changes.
    public var windowSize: (rows: UInt16, columns: UInt16)? {
        guard device.features.contains(Self.size) else { return nil }
        let both = device.configuration32(0)
        return (UInt16(both >> 16), UInt16(truncatingIfNeeded: both))
    }

    // MARK: Sending

    /// From now on an interrupt tells when the device has taken what was sent, if it was not ready
    /// when it was asked.
    public mutating func interruptsWhenSent() { isToldWhenSent = true }

    /// What is to be sent is written here, once `isReadyToSend`.
    public var outgoing: UnsafeMutableRawBufferPointer { sent.bytes }

    /// Whether the device has taken what was sent last.
    public mutating func isReadyToSend() throws(QueueFault) -> Bool {
        guard isSending else { return true }
        var taken = try sending.queue.take()
        if taken == nil, isToldWhenSent, sending.queue.enableInterrupt() {
            taken = try sending.queue.take()
        }
        isSending = taken == nil
        return !isSending
    }

    /// Sends the first bytes of `outgoing`.
    public mutating func send(_ count: Int) {
        isSending = sending.queue.offer(sent.part(0, count).buffer(isWritten: false)) != nil
        sending.notify()
    }

    // MARK: Receiving

    /// Takes bytes that came; how many, zero when there are none.
    public mutating func receive(into target: UnsafeMutableRawBufferPointer)
        throws(QueueFault) -> Int
    {
        guard try hasReceived() else { return 0 }
        let count = min(target.count, unread.count)
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: unread[..<count]))
        unread = UnsafeRawBufferPointer(rebasing: unread[count...])
        if unread.isEmpty { inbox.giveBack() }
        return count
    }

    /// Whether bytes have come; else an interrupt tells when some do.
    public mutating func hasReceived() throws(QueueFault) -> Bool {
        while unread.isEmpty {
            guard let bytes = try inbox.take() else { return false }
            unread = bytes
        }
        return true
    }
}

/// A console's way out for a driver that cannot use its queues (virtio 1.2, section 5.3.4,
/// VIRTIO_CONSOLE_F_EMERG_WRITE): it works before the device is started, and whatever became of it.
public struct EmergencyOutput {
    private let register: UnsafeMutableRawPointer

    private static var feature: Features { Features(rawValue: 1 << 2) }
    private static var offset: Int { 8 }

    /// Nil when the console has none.
    public init?<Registers: DeviceTransport>(_ transport: Registers) {
        guard transport.offeredFeatures.contains(Self.feature),
            transport.configurationSize >= Self.offset + 4
        else { return nil }
        register = transport.configuration + Self.offset
    }

    public func write(_ byte: UInt8) { device_store32(register, UInt32(byte)) }
}
