import Registers

/// What a disk is asked for (5.2.6).
public enum BlockOperation {
    case read, write
    /// What was written is to outlast the machine.
    case flush
    /// What sectors hold is not needed any more.
    case discard

    fileprivate var code: UInt32 {
        switch self {
        case .read: 0
        case .write: 1
        case .flush: 4
        case .discard: 11
        }
    }
}

/// How a request ended: its status byte.
public enum BlockOutcome: UInt8 {
    case done = 0
    case failed = 1
    case notSupported = 2
}

/// A disk (virtio 1.2, section 5.2), in sectors of 512 bytes.
public struct BlockDevice<Registers: DeviceTransport> {
    public static var sectorSize: Int { 512 }

    /// Sectors of the whole disk.
    public let capacity: UInt64
    public let isReadOnly: Bool
    /// Bytes of a block: requests begin and end with one.
    public let blockSize: Int
    /// The most sectors of one `discard`; zero when there is none.
    public let discardLimit: UInt64
    /// Whether `flush` means anything; without it what was written lasts.
    public let hasFlush: Bool
    private let device: Device<Registers>
    private let requests: DeviceQueue<Registers>
    /// A `Record` for each request under way, by number.
    private let records: SharedMemory
    /// By number: the token of a request under way.
    private var tokens = InlineArray<8, UInt16>(repeating: BlockDevice.noToken)

    /// What such a request makes the device write when all goes well.
    private var lengths = InlineArray<8, UInt32>(repeating: 0)

    private static var noToken: UInt16 { .max }
    private static var recordSize: Int { 64 }
    /// Header, data and status.
    private static var chainLength: Int { 3 }

    /// Requests that may be under way at once.
    public static var requestLimit: Int { 8 }

    // Features (5.2.3).
    private static var readOnly: Features { Features(rawValue: 1 << 5) }
    private static var hasBlockSize: Features { Features(rawValue: 1 << 6) }
    private static var flush: Features { Features(rawValue: 1 << 9) }
    private static var discard: Features { Features(rawValue: 1 << 13) }

    public init(_ transport: Registers, _ allocate: AllocateShared) throws(DeviceFault) {
        let known: Features = [
            BlockDevice.readOnly, BlockDevice.hasBlockSize, BlockDevice.flush, BlockDevice.discard,
        ]
        device = try Device(transport, wanted: known)
        let length = BlockDevice.chainLength
        requests = try device.makeQueue(
            0,
            size: BlockDevice.requestLimit * 4,
            least: length,
            allocate
        )
        guard let records = allocate(BlockDevice.requestLimit * BlockDevice.recordSize) else {
            throw .noMemory
        }
        self.records = records
        // What is beyond can be neither addressed in bytes nor by lseek(2).
        capacity = min(device.configuration64(0), UInt64(Int64.max) >> 9)
        isReadOnly = device.features.contains(BlockDevice.readOnly)
        hasFlush = device.features.contains(BlockDevice.flush)
        let size =
            device.features.contains(BlockDevice.hasBlockSize)
            ? Int(device.configuration32(20)) : BlockDevice.sectorSize
        let isUsable = size >= BlockDevice.sectorSize && size <= 65536 && size & (size - 1) == 0
        blockSize = isUsable ? size : BlockDevice.sectorSize
        discardLimit =
            device.features.contains(BlockDevice.discard) ? UInt64(device.configuration32(36)) : 0
        device.start()
        _ = requests.queue.enableInterrupt()
    }

    public func acknowledgeInterrupt() { device.transport.acknowledgeInterrupt() }

    // MARK: Requests (5.2.6)

    /// Begins an operation; its number, or nil while too many are under way or when the device is
    /// broken. `data` is what is read or written, and stays where it is until the request has ended;
    /// discarding has a count of sectors instead.
    ///
    /// - Parameter data: physical address and bytes, a multiple of a sector.
    public mutating func begin(
        _ operation: BlockOperation,
        sector: UInt64,
        data: (address: UInt64, size: UInt32) = (0, 0),
        sectorCount: UInt32 = 0
    ) -> Int? {
        guard let number = freeNumber else { return nil }
        let record = records.part(number * BlockDevice.recordSize, BlockDevice.recordSize)
        let isDiscard = operation == .discard
        device_store32(record.pointer, operation.code)
        device_store32(record.pointer + 4, 0)
        device_store64(record.pointer + 8, isDiscard ? 0 : sector)
        device_store64(record.pointer + 16, sector)
        device_store32(record.pointer + 24, sectorCount)
        device_store32(record.pointer + 28, 0)
        // A device that says nothing has failed.
        device_store8(record.pointer + 32, BlockOutcome.failed.rawValue)
        var chain = InlineArray<3, Buffer>(repeating: record.part(0, 16).buffer(isWritten: false))
        var count = 1
        if isDiscard {
            chain[1] = record.part(16, 16).buffer(isWritten: false)
            count = 2
        } else if data.size > 0 {
            chain[1] = Buffer(
                address: data.address,
                length: data.size,
                isWritten: operation == .read
            )
            count = 2
        }
        chain[count] = record.part(32, 1).buffer(isWritten: true)
        let token = withUnsafePointer(to: &chain) { pointer in
            pointer.withMemoryRebound(to: Buffer.self, capacity: 3) {
                requests.queue.offer(UnsafeBufferPointer(start: $0, count: count + 1))
            }
        }
        guard let token else { return nil }
        tokens[number] = token
        lengths[number] = 1 + (operation == .read ? data.size : 0)
        requests.notify()
        return number
    }

    private var freeNumber: Int? {
        for number in tokens.indices where tokens[number] == BlockDevice.noToken { return number }
        return nil
    }

    /// Calls `body` with each request that has ended, once; an interrupt tells of the next.
    public mutating func takeEnded(_ body: (Int, BlockOutcome) -> Void) throws(QueueFault) {
        repeat {
            while let chain = try requests.queue.take() {
                for number in tokens.indices where tokens[number] == chain.token {
                    tokens[number] = BlockDevice.noToken
                    let status = device_load8(
                        records.pointer + number * BlockDevice.recordSize + 32
                    )
                    let outcome = BlockOutcome(rawValue: status) ?? .failed
                    let isShort = chain.length < lengths[number]
                    body(number, outcome == .done && isShort ? .failed : outcome)
                }
            }
        } while requests.queue.enableInterrupt()
    }
}
