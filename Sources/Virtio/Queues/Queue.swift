/// One buffer of a chain (virtio 1.2, section 2.6.5): all that the device reads come before those
/// that it writes.
public struct Buffer {
    public var address: UInt64
    public var length: UInt32
    /// Whether the device writes it; it reads it otherwise.
    public var isWritten: Bool

    public init(address: UInt64, length: UInt32, isWritten: Bool) {
        self.address = address
        self.length = length
        self.isWritten = isWritten
    }
}

/// A chain that the device is done with.
public struct UsedChain: Equatable {
    /// What `offer` called it.
    public let token: UInt16
    /// Bytes that the device says it wrote, at most those it could.
    public let length: UInt32
}

/// What a device did that no device may do. Its queue is not used any more.
public enum QueueFault: Error, Equatable {
    /// It used more chains than it was offered.
    case indexJumped
    /// It used a chain that was not offered, or twice.
    case unknownChain
    /// It wrote more than it could.
    case lengthTooLong
}

/// Where a queue's three parts lie, as the device addresses them (section 2.5).
public struct QueueAddresses {
    public let descriptors, driver, device: UInt64
}

/// A queue between driver and device, in either format. A value of it is a handle: copies are the
/// same queue. It needs no heap, and nobody but its one driver may call it, with the device's
/// interrupt off.
public enum Queue {
    case split(SplitQueue)
    case packed(PackedQueue)

    /// Bytes of shared memory for a queue of `size` descriptors.
    public static func sharedSize(isPacked: Bool, size: Int) -> Int {
        isPacked ? PackedQueue.sharedSize(size) : SplitQueue.sharedSize(size)
    }

    /// Bytes of memory that the device does not see.
    public static func ownSize(_ size: Int) -> Int { ChainTable.memorySize(size) }

    /// - Parameters:
    ///   - size: descriptors; a power of two, at most 32768.
    ///   - shared: zeros, on a page.
    ///   - own: zeros, aligned to 8 bytes.
    public init(
        isPacked: Bool,
        hasEventIndex: Bool,
        size: Int,
        shared: SharedMemory,
        own: UnsafeMutableRawPointer
    ) {
        precondition(size > 0 && size <= 1 << 15 && size & (size - 1) == 0)
        precondition(shared.size >= Queue.sharedSize(isPacked: isPacked, size: size))
        let memory = QueueMemory(size, hasEventIndex, shared, own)
        self = isPacked ? .packed(PackedQueue(memory)) : .split(SplitQueue(memory))
    }

    private var chains: ChainTable {
        switch self {
        case .split(let queue): queue.chains
        case .packed(let queue): queue.chains
        }
    }

    public var addresses: QueueAddresses {
        switch self {
        case .split(let queue): queue.addresses
        case .packed(let queue): queue.addresses
        }
    }

    /// How many more buffers can be offered.
    public var room: Int { Int(chains.state.pointee.freeCount) }

    /// What ended the queue's use.
    public var fault: QueueFault? { chains.fault }

    /// Offers a chain to the device; its token, or nil when there is no room for it or the device is
    /// broken. The device need not be told at once: see `needsNotification`.
    public func offer(_ buffers: UnsafeBufferPointer<Buffer>) -> UInt16? {
        guard fault == nil, !buffers.isEmpty, buffers.count <= room else { return nil }
        switch self {
        case .split(let queue): return queue.offer(buffers)
        case .packed(let queue): return queue.offer(buffers)
        }
    }

    public func offer(_ buffer: Buffer) -> UInt16? {
        withUnsafePointer(to: buffer) { offer(UnsafeBufferPointer(start: $0, count: 1)) }
    }

    /// Takes back a chain that the device is done with; nil when there is none.
    public func take() throws(QueueFault) -> UsedChain? {
        if let fault { throw fault }
        switch self {
        case .split(let queue): return try queue.take()
        case .packed(let queue): return try queue.take()
        }
    }

    /// Whether the device wants to be told of what was offered since this was asked last.
    public func needsNotification() -> Bool {
        switch self {
        case .split(let queue): queue.needsNotification()
        case .packed(let queue): queue.needsNotification()
        }
    }

    /// Asks for an interrupt when the device is done with the next chain. True when it is with one
    /// already: that may bring no interrupt.
    public func enableInterrupt() -> Bool {
        switch self {
        case .split(let queue): queue.enableInterrupt()
        case .packed(let queue): queue.enableInterrupt()
        }
    }

    /// Asks for no interrupts; some may come nevertheless.
    public func disableInterrupt() {
        switch self {
        case .split(let queue): queue.disableInterrupt()
        case .packed(let queue): queue.disableInterrupt()
        }
    }
}

/// Whether an event at `event` lies among those from `old` until before `new`, all counted modulo 2^16
/// (section 2.6.7.2).
func isReached(event: UInt16, new: UInt16, old: UInt16) -> Bool {
    new &- event &- 1 < new &- old
}
