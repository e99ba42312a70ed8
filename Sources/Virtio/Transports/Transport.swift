/// Device types (virtio 1.2, section 5).
public enum DeviceType {
    public static var network: UInt32 { 1 }
    public static var block: UInt32 { 2 }
    public static var console: UInt32 { 3 }
    public static var entropy: UInt32 { 4 }
    public static var ninePFiles: UInt32 { 9 }
}

/// How a device's registers are reached (virtio 1.2, section 4). Queue addresses are physical.
public enum Transport {
    case mmio(MMIOTransport)
    case pci(PCITransport)

    /// See `DeviceType`.
    public var deviceType: UInt32 {
        switch self {
        case .mmio(let registers): registers.deviceType
        case .pci(let registers): registers.deviceType
        }
    }

    public var status: DeviceStatus {
        switch self {
        case .mmio(let registers): registers.status
        case .pci(let registers): registers.status
        }
    }

    func setStatus(_ status: DeviceStatus) {
        switch self {
        case .mmio(let registers): registers.setStatus(status)
        case .pci(let registers): registers.setStatus(status)
        }
    }

    var offeredFeatures: Features {
        switch self {
        case .mmio(let registers): registers.offeredFeatures
        case .pci(let registers): registers.offeredFeatures
        }
    }

    func accept(_ features: Features) {
        switch self {
        case .mmio(let registers): registers.accept(features)
        case .pci(let registers): registers.accept(features)
        }
    }

    /// The most descriptors that a queue can have; zero when there is no such queue.
    func queueLimit(_ index: UInt16) -> Int {
        switch self {
        case .mmio(let registers): registers.queueLimit(index)
        case .pci(let registers): registers.queueLimit(index)
        }
    }

    /// Lets the device use a queue; false when it refuses.
    func startQueue(_ index: UInt16, size: Int, _ addresses: QueueAddresses) -> Bool {
        switch self {
        case .mmio(let registers): registers.startQueue(index, size, addresses)
        case .pci(let registers): registers.startQueue(index, size, addresses)
        }
    }

    /// Tells the device that something was offered in a queue.
    func notify(_ index: UInt16) {
        switch self {
        case .mmio(let registers): registers.notify(index)
        case .pci(let registers): registers.notify(index)
        }
    }

    /// Takes note of the device's interrupt, so that it can send another.
    public func acknowledgeInterrupt() {
        switch self {
        case .mmio(let registers): registers.acknowledgeInterrupt()
        case .pci: break  // A message needs no answer.
        }
    }

    // MARK: The device's own configuration

    /// Bytes of it that can be read.
    public var configurationSize: Int {
        switch self {
        case .mmio(let registers): registers.configurationSize
        case .pci(let registers): registers.configurationSize
        }
    }

    /// Where it lies; an offset must be less than `configurationSize`.
    var configuration: UnsafeMutableRawPointer {
        switch self {
        case .mmio(let registers): registers.configuration
        case .pci(let registers): registers.configuration
        }
    }

    /// Changes when the configuration does.
    var configurationGeneration: UInt32 {
        switch self {
        case .mmio(let registers): registers.configurationGeneration
        case .pci(let registers): registers.configurationGeneration
        }
    }
}
