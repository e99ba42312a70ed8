import Registers

/// A console (virtio 1.2, section 5.3) with its first port alone: a stream of bytes each way.
public struct ConsoleDevice {
    private let device: Device
    private let receiving: DeviceQueue
    private let sending: DeviceQueue
    /// Where the device puts what comes: pieces of `pieceSize`, by the token of their chain.
    private let received: SharedMemory
    private let sent: SharedMemory
    private var isSending = false
    /// The piece that is being read, and what of it was not read yet.
    private var piece: UInt16?
    private var unread = 0..<0

    private static var pieceSize: Int { 4096 }
    private static var pieceCount: Int { 16 }

    /// - Parameter sendLimit: bytes of the most that is sent at once.
    public init(_ transport: Transport, sendLimit: Int, _ allocate: Device.Allocate)
        throws(DeviceFault)
    {
        device = try Device(transport, wanted: [])
        receiving = try device.makeQueue(0, size: ConsoleDevice.pieceCount, least: 1, allocate)
        sending = try device.makeQueue(1, size: 4, least: 1, allocate)
        let pieces = ConsoleDevice.pieceSize * ConsoleDevice.pieceCount
        guard let received = allocate(pieces), let sent = allocate(sendLimit) else {
            throw .noMemory
        }
        self.received = received
        self.sent = sent
        sending.queue.disableInterrupt()
        device.start()
        // Tokens of chains of one buffer are given out in order the first time.
        for index in 0..<ConsoleDevice.pieceCount {
            guard receiving.queue.offer(buffer(UInt16(index))) != nil else { break }
        }
        receiving.notify()
        _ = receiving.queue.enableInterrupt()
    }

    private func buffer(_ piece: UInt16) -> Buffer {
        received.part(Int(piece) * ConsoleDevice.pieceSize, ConsoleDevice.pieceSize)
            .buffer(isWritten: true)
    }

    public func acknowledgeInterrupt() { device.transport.acknowledgeInterrupt() }

    // MARK: Sending

    /// What is to be sent is written here, once `isReadyToSend`.
    public var outgoing: UnsafeMutableRawBufferPointer { sent.bytes }

    /// Whether the device has taken what was sent last.
    public mutating func isReadyToSend() throws(QueueFault) -> Bool {
        if isSending, try sending.queue.take() != nil { isSending = false }
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
        if unread.isEmpty {
            guard try takePiece() else { return 0 }
        }
        let count = min(target.count, unread.count)
        target.copyMemory(
            from: UnsafeRawBufferPointer(
                rebasing: received.bytes[unread.lowerBound..<unread.lowerBound + count]
            )
        )
        unread = unread.lowerBound + count..<unread.upperBound
        if unread.isEmpty { givePieceBack() }
        return count
    }

    /// Whether bytes have come; else an interrupt tells when some do.
    public mutating func hasReceived() throws(QueueFault) -> Bool {
        if !unread.isEmpty { return true }
        if try takePiece() { return true }
        guard receiving.queue.enableInterrupt() else { return false }
        return try takePiece()
    }

    private mutating func takePiece() throws(QueueFault) -> Bool {
        while let chain = try receiving.queue.take() {
            let start = Int(chain.token) * ConsoleDevice.pieceSize
            piece = chain.token
            unread = start..<start + Int(chain.length)
            if !unread.isEmpty { return true }
            givePieceBack()
        }
        return false
    }

    /// The free token is the one that was just taken.
    private mutating func givePieceBack() {
        guard let piece else { return }
        _ = receiving.queue.offer(buffer(piece))
        receiving.notify()
        self.piece = nil
    }
}
