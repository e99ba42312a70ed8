import Virtio

/// Memory that a driver and a model of a device share; the device calls it by addresses that are not
/// pointers.
final class TestMemory {
    static let base: UInt64 = 0x1_2345_0000
    let bytes: UnsafeMutableRawBufferPointer

    init(_ size: Int) {
        bytes = .allocate(byteCount: size, alignment: 4096)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }

    var shared: SharedMemory {
        SharedMemory(pointer: bytes.baseAddress!, address: Self.base, size: bytes.count)
    }

    func load<Value: FixedWidthInteger>(_ address: UInt64, as type: Value.Type) -> Value {
        Value(littleEndian: bytes.load(fromByteOffset: Int(address - Self.base), as: type))
    }

    func store<Value: FixedWidthInteger>(_ value: Value, _ address: UInt64) {
        bytes.storeBytes(
            of: value.littleEndian,
            toByteOffset: Int(address - Self.base),
            as: Value.self
        )
    }
}

/// A chain as the device found it.
struct ModelChain {
    let id: UInt16
    let buffers: [Element]

    struct Element: Equatable {
        let address: UInt64
        let length: UInt32
        let isWritten: Bool
    }
}

/// The device's side of a queue, from the text of virtio 1.2 alone.
protocol ModelDevice: AnyObject {
    /// The next chain that the driver made available.
    func fetch() -> ModelChain?
    /// Returns a chain; whether the driver is to be interrupted then.
    func use(_ chain: ModelChain, length: UInt32) -> Bool
    /// Asks to be told when the driver makes available what comes `count` buffers (packed) or chains
    /// (split) after what was fetched, 0 being the next.
    func wantNotification(after count: Int)
    func wantNoNotification()
}

/// Section 2.7
final class SplitModel: ModelDevice {
    private let memory: TestMemory
    private let size: Int
    private let hasEventIndex: Bool
    private let table, available, used: UInt64
    private var fetched: UInt16 = 0
    private(set) var usedIndex: UInt16 = 0

    init(_ memory: TestMemory, size: Int, hasEventIndex: Bool, at addresses: QueueAddresses) {
        self.memory = memory
        self.size = size
        self.hasEventIndex = hasEventIndex
        (table, available, used) = (addresses.descriptors, addresses.driver, addresses.device)
    }

    func fetch() -> ModelChain? {
        guard memory.load(available + 2, as: UInt16.self) != fetched else { return nil }
        let slot = UInt64(Int(fetched) % size)
        let head = memory.load(available + 4 + 2 * slot, as: UInt16.self)
        fetched &+= 1
        var buffers: [ModelChain.Element] = []
        var index = head
        while true {
            let descriptor = table + UInt64(index) * 16
            let flags = memory.load(descriptor + 12, as: UInt16.self)
            buffers.append(
                ModelChain.Element(
                    address: memory.load(descriptor, as: UInt64.self),
                    length: memory.load(descriptor + 8, as: UInt32.self),
                    isWritten: flags & 2 != 0
                )
            )
            guard flags & 1 != 0, buffers.count <= size else { break }
            index = memory.load(descriptor + 14, as: UInt16.self)
        }
        return ModelChain(id: head, buffers: buffers)
    }

    func use(_ chain: ModelChain, length: UInt32) -> Bool {
        putUsed(UInt32(chain.id), length)
        setUsedIndex(usedIndex &+ 1)
        // 2.7.7.2: the index before the increment equals used_event.
        if hasEventIndex {
            return memory.load(available + 4 + 2 * UInt64(size), as: UInt16.self) == usedIndex &- 1
        }
        return memory.load(available, as: UInt16.self) & 1 == 0
    }

    func putUsed(_ id: UInt32, _ length: UInt32) {
        let entry = used + 4 + 8 * UInt64(Int(usedIndex) % size)
        memory.store(id, entry)
        memory.store(length, entry + 4)
    }

    func setUsedIndex(_ index: UInt16) {
        usedIndex = index
        memory.store(index, used + 2)
    }

    func wantNotification(after count: Int) {
        memory.store(fetched &+ UInt16(count), used + 4 + 8 * UInt64(size))
        memory.store(UInt16(0), used)
    }

    func wantNoNotification() {
        if hasEventIndex { wantNotification(after: 0x8000) }
        memory.store(UInt16(1), used)
    }
}

/// Section 2.8
final class PackedModel: ModelDevice {
    private let memory: TestMemory
    private let size: Int
    private let hasEventIndex: Bool
    private let ring, driverEvent, deviceEvent: UInt64
    /// Positions that never come round: the wrap counter is whether the round is an even one.
    private var fetched = 0
    private var used = 0
    private var counts: [UInt16: Int] = [:]

    init(_ memory: TestMemory, size: Int, hasEventIndex: Bool, at addresses: QueueAddresses) {
        self.memory = memory
        self.size = size
        self.hasEventIndex = hasEventIndex
        (ring, driverEvent, deviceEvent) = (
            addresses.descriptors, addresses.driver, addresses.device
        )
    }

    private func wrap(_ position: Int) -> Bool { position / size % 2 == 0 }
    private func descriptor(_ position: Int) -> UInt64 { ring + UInt64(position % size) * 16 }

    func fetch() -> ModelChain? {
        let flags = memory.load(descriptor(fetched) + 14, as: UInt16.self)
        guard (flags & 0x80 != 0) == wrap(fetched), (flags & 0x8000 != 0) != wrap(fetched) else {
            return nil
        }
        var buffers: [ModelChain.Element] = []
        while true {
            let place = descriptor(fetched)
            let flags = memory.load(place + 14, as: UInt16.self)
            buffers.append(
                ModelChain.Element(
                    address: memory.load(place, as: UInt64.self),
                    length: memory.load(place + 8, as: UInt32.self),
                    isWritten: flags & 2 != 0
                )
            )
            fetched += 1
            guard flags & 1 != 0, buffers.count <= size else {
                // The identifier counts in the last descriptor of a chain.
                let id = memory.load(place + 12, as: UInt16.self)
                counts[id] = buffers.count
                return ModelChain(id: id, buffers: buffers)
            }
        }
    }

    func use(_ chain: ModelChain, length: UInt32) -> Bool {
        let before = used
        putUsed(chain.id, length, skip: chain.buffers.count)
        switch memory.load(driverEvent + 2, as: UInt16.self) & 3 {
        case 0: return true
        case 2 where hasEventIndex:
            let place = memory.load(driverEvent, as: UInt16.self)
            let isWrapped = place >> 15 == 1
            // The position nearest to those just used that the offset and its counter name.
            return (before..<used).contains {
                $0 % size == Int(place & 0x7fff) && wrap($0) == isWrapped
            }
        default: return false
        }
    }

    func putUsed(_ id: UInt16, _ length: UInt32, skip: Int) {
        let place = descriptor(used)
        memory.store(length, place + 8)
        memory.store(id, place + 12)
        memory.store(wrap(used) ? UInt16(0x8080) : 0, place + 14)
        used += skip
    }

    func wantNotification(after count: Int) {
        let position = fetched + count
        memory.store(UInt16(position % size) | (wrap(position) ? 0x8000 : 0), deviceEvent)
        memory.store(UInt16(hasEventIndex ? 2 : 0), deviceEvent + 2)
    }

    func wantNoNotification() { memory.store(UInt16(1), deviceEvent + 2) }
}
