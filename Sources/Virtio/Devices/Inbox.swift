/// Buffers that a device fills one after the other, each read before the next is looked at: what
/// consoles and network devices receive.
struct Inbox<Registers: DeviceTransport> {
    private let queue: DeviceQueue<Registers>
    /// Pieces of `pieceSize`, by the token of their chain.
    private let memory: SharedMemory
    private let pieceSize: Int
    private var piece: UInt16?

    init(
        _ device: Device<Registers>,
        _ index: UInt16,
        pieces: Int,
        ofSize pieceSize: Int,
        _ allocate: AllocateShared
    ) throws(DeviceFault) {
        queue = try device.makeQueue(index, size: pieces, least: 1, allocate)
        guard let memory = allocate(pieces * pieceSize) else { throw .noMemory }
        self.memory = memory
        self.pieceSize = pieceSize
    }

    /// Gives all pieces to a device that has started.
    func open() {
        // Tokens of chains of one buffer are given out in order the first time.
        let count = min(queue.queue.room, memory.size / pieceSize)
        for index in 0..<count { _ = queue.queue.offer(buffer(UInt16(index))) }
        queue.notify()
        _ = queue.queue.enableInterrupt()
    }

    private func buffer(_ piece: UInt16) -> Buffer {
        memory.part(Int(piece) * pieceSize, pieceSize).buffer(isWritten: true)
    }

    /// The next piece's bytes, until `giveBack`; nil when there is none, and then an interrupt tells
    /// when there is.
    mutating func take() throws(QueueFault) -> UnsafeRawBufferPointer? {
        giveBack()
        var chain = try queue.queue.take()
        if chain == nil, queue.queue.enableInterrupt() { chain = try queue.queue.take() }
        guard let chain else { return nil }
        piece = chain.token
        let bytes = memory.part(Int(chain.token) * pieceSize, Int(chain.length)).bytes
        return UnsafeRawBufferPointer(bytes)
    }

    /// Lets the device have the piece again: the free token is the one that was just taken.
    mutating func giveBack() {
        guard let piece else { return }
        _ = queue.queue.offer(buffer(piece))
        queue.notify()
        self.piece = nil
    }
}
