import Registers

/// Why a device cannot be used.
public enum DeviceFault: Error {
    /// It did not reset itself, or has a status that none has then.
    case noReset
    /// It does not take the features that both sides have, or is one of before virtio 1.0.
    case noAgreement
    /// A queue is missing, or too small.
    case noQueue
    /// The platform has no memory for its queues.
    case noMemory
}

/// Gives memory that is zero, on a page of its own, for as long as the machine runs.
public typealias AllocateShared = (_ size: Int) -> SharedMemory?

/// What all drivers do: agree with a device on features, and give it queues (virtio 1.2, section
/// 3.1.1).
public struct Device<Registers: DeviceTransport> {
    public let transport: Registers
    public let features: Features

    /// - Parameter wanted: the device's own features that the driver knows.
    public init(_ transport: Registers, wanted: Features) throws(DeviceFault) {
        self.transport = transport
        transport.setStatus([])
        var patience = 1_000_000
        while !transport.status.isEmpty {
            patience -= 1
            guard patience > 0 else { throw .noReset }
        }
        transport.setStatus(.acknowledged)
        transport.setStatus([.acknowledged, .hasDriver])
        features = transport.offeredFeatures.intersection(wanted.union(.common))
        transport.accept(features)
        transport.setStatus([.acknowledged, .hasDriver, .featuresOK])
        guard features.contains(.version1), transport.status.contains(.featuresOK) else {
            transport.setStatus(.failed)
            throw .noAgreement
        }
    }

    /// Makes a queue of `size` descriptors, fewer if the device has no more, and gives it to the
    /// device.
    ///
    /// - Parameter least: descriptors that are enough for the driver.
    public func makeQueue(
        _ index: UInt16,
        size: Int,
        least: Int,
        _ allocate: AllocateShared
    ) throws(DeviceFault) -> DeviceQueue<Registers> {
        let limit = min(size, transport.queueLimit(index))
        guard limit >= max(least, 1) else { throw .noQueue }
        // The largest power of two: a split queue must be one.
        let size = 1 << (Int.bitWidth - 1 - limit.leadingZeroBitCount)
        guard size >= least else { throw .noQueue }
        let isPacked = features.contains(.packedRing)
        let sharedSize = Queue.sharedSize(isPacked: isPacked, size: size)
        guard let shared = allocate(sharedSize), let own = allocate(Queue.ownSize(size)) else {
            throw .noMemory
        }
        let queue = Queue(
            isPacked: isPacked,
            hasEventIndex: features.contains(.eventIndex),
            size: size,
            shared: shared,
            own: own.pointer
        )
        guard transport.startQueue(index, size: size, queue.addresses) else { throw .noQueue }
        return DeviceQueue(queue: queue, index: index, transport: transport)
    }

    /// The device may work from now on.
    public func start() {
        transport.setStatus([.acknowledged, .hasDriver, .featuresOK, .driverOK])
    }

    // MARK: Configuration (2.5)

    /// Reads a field that the device may change meanwhile; zero for one that it does not have.
    public func configuration64(_ offset: Int) -> UInt64 {
        guard offset + 8 <= transport.configurationSize else { return 0 }
        let place = transport.configuration + offset
        var value: UInt64 = 0
        for _ in 0..<1000 {
            let generation = transport.configurationGeneration
            value = UInt64(device_load32(place)) | UInt64(device_load32(place + 4)) << 32
            if transport.configurationGeneration == generation { break }
        }
        return value
    }

    public func configuration32(_ offset: Int) -> UInt32 {
        guard offset + 4 <= transport.configurationSize else { return 0 }
        return device_load32(transport.configuration + offset)
    }

    public func configuration16(_ offset: Int) -> UInt16 {
        guard offset + 2 <= transport.configurationSize else { return 0 }
        return device_load16(transport.configuration + offset)
    }

    public func configuration8(_ offset: Int) -> UInt8 {
        guard offset < transport.configurationSize else { return 0 }
        return device_load8(transport.configuration + offset)
    }

    public func setConfiguration32(_ offset: Int, _ value: UInt32) {
        guard offset + 4 <= transport.configurationSize else { return }
        device_store32(transport.configuration + offset, value)
    }
}

/// A queue of a device, which is told of what is offered.
public struct DeviceQueue<Registers: DeviceTransport> {
    public let queue: Queue
    let index: UInt16
    let transport: Registers

    /// Tells the device of what was offered, if it wants to know.
    public func notify() {
        if queue.needsNotification() { transport.notify(index) }
    }
}
