import Testing
import Virtio

/// A device's registers, and memory for its driver that models of its queues see too.
final class FakeTransport: DeviceTransport {
    let memory = TestMemory(1 << 20)
    private var used = 0
    /// How a device may misbehave.
    var offeredFeatures: Features
    var resets = true
    var agrees = true
    var queueSize = 64

    private(set) var status = DeviceStatus(rawValue: 0)
    private(set) var accepted: Features = []
    private(set) var queues: [UInt16: (size: Int, addresses: QueueAddresses)] = [:]
    private(set) var notifications: [UInt16] = []
    let own = UnsafeMutableRawBufferPointer.allocate(byteCount: 64, alignment: 8)

    init(_ features: Features = [], isPacked: Bool = false) {
        offeredFeatures = features.union(.version1)
        if isPacked { offeredFeatures.insert(.packedRing) }
        own.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { own.deallocate() }

    func allocate(_ size: Int) -> SharedMemory? {
        let start = used
        used = (used + size + 4095) & ~4095
        guard used <= memory.bytes.count else { return nil }
        return memory.shared.part(start, size)
    }

    /// The device's side of a queue that the driver started.
    func model(_ index: UInt16) throws -> any ModelDevice {
        let queue = try #require(queues[index])
        let hasEventIndex = accepted.contains(.eventIndex)
        return accepted.contains(.packedRing)
            ? PackedModel(
                memory,
                size: queue.size,
                hasEventIndex: hasEventIndex,
                at: queue.addresses
            )
            : SplitModel(
                memory,
                size: queue.size,
                hasEventIndex: hasEventIndex,
                at: queue.addresses
            )
    }

    func setStatus(_ status: DeviceStatus) {
        if status.isEmpty, !resets {
            self.status = .needsReset
        } else {
            self.status = agrees ? status : status.subtracting(.featuresOK)
        }
    }

    func accept(_ features: Features) { accepted = features }
    func queueLimit(_ index: UInt16) -> Int { queueSize }

    func startQueue(_ index: UInt16, size: Int, _ addresses: QueueAddresses) -> Bool {
        queues[index] = (size, addresses)
        return true
    }

    func notify(_ index: UInt16) { notifications.append(index) }
    func acknowledgeInterrupt() {}
    var configuration: UnsafeMutableRawPointer { own.baseAddress! }
    var configurationSize: Int { own.count }
    var configurationGeneration: UInt32 { 0 }
}

extension TestMemory {
    func read(_ element: ModelChain.Element) -> [UInt8] {
        let start = Int(element.address - Self.base)
        return Array(bytes[start..<start + Int(element.length)])
    }

    func write(_ content: [UInt8], to element: ModelChain.Element) {
        precondition(content.count <= Int(element.length) && element.isWritten)
        let start = Int(element.address - Self.base)
        for (index, byte) in content.enumerated() { bytes[start + index] = byte }
    }
}

func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
