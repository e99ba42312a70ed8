import Registers

/// What a queue of either format works on.
struct QueueMemory {
    /// Descriptors.
    let size: Int
    let hasEventIndex: Bool
    let shared: SharedMemory
    let chains: ChainTable

    init(
        _ size: Int,
        _ hasEventIndex: Bool,
        _ shared: SharedMemory,
        _ own: UnsafeMutableRawPointer
    ) {
        self.size = size
        self.hasEventIndex = hasEventIndex
        self.shared = shared
        chains = ChainTable(size, own)
    }
}

/// A format of queues: what both have in common.
protocol QueueFormat {
    var memory: QueueMemory { get }
    /// Where the driver's part begins behind the descriptors, and where the device's does.
    var driverPart: Int { get }
    var devicePart: Int { get }
}

extension QueueFormat {
    var size: Int { memory.size }
    var hasEventIndex: Bool { memory.hasEventIndex }
    var shared: SharedMemory { memory.shared }
    var chains: ChainTable { memory.chains }
    var state: UnsafeMutablePointer<ChainTable.State> { chains.state }

    var addresses: QueueAddresses {
        QueueAddresses(
            descriptors: shared.address,
            driver: shared.address + UInt64(driverPart),
            device: shared.address + UInt64(devicePart)
        )
    }

    func load16(_ offset: Int) -> UInt16 { device_load16(shared.pointer + offset) }
    func store16(_ offset: Int, _ value: UInt16) { device_store16(shared.pointer + offset, value) }

    /// The flags of a descriptor that both formats have (2.7.5 and 2.8.1).
    func flags(of buffer: Buffer, isLast: Bool) -> UInt16 {
        let (hasNext, isWritten): (UInt16, UInt16) = (1, 2)
        return (buffer.isWritten ? isWritten : 0) | (isLast ? 0 : hasNext)
    }
}
