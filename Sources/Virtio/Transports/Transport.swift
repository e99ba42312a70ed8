/// Device types (virtio 1.2, section 5).
public enum DeviceType {
    public static var network: UInt32 { 1 }
    public static var block: UInt32 { 2 }
    public static var console: UInt32 { 3 }
    public static var entropy: UInt32 { 4 }
    public static var balloon: UInt32 { 5 }
    public static var ninePFiles: UInt32 { 9 }
}

/// How a driver reaches its device (virtio 1.2, section 4).
public protocol DeviceTransport {
    var status: DeviceStatus { get }
    func setStatus(_ status: DeviceStatus)
    var offeredFeatures: Features { get }
    func accept(_ features: Features)

    /// The most descriptors that a queue can have; zero when there is no such queue.
    func queueLimit(_ index: UInt16) -> Int
    /// Lets the device use a queue; false when it refuses.
    func startQueue(_ index: UInt16, size: Int, _ addresses: QueueAddresses) -> Bool
    /// Tells the device that something was offered in a queue.
    func notify(_ index: UInt16)
    /// Takes note of the device's interrupt, so that it can send another.
    func acknowledgeInterrupt()

    /// The device's own configuration, of which so many bytes can be read.
    var configuration: UnsafeMutableRawPointer { get }
    var configurationSize: Int { get }
    /// Changes when the configuration does.
    var configurationGeneration: UInt32 { get }
}

/// The transports of machines. Queue addresses are physical.
public enum Transport: DeviceTransport {
    case mmio(MMIOTransport)
    case pci(PCITransport)

    /// See `DeviceType`.
    public var deviceType: UInt32 {
        switch self {
        case .mmio(let registers): registers.deviceType
        case .pci(let registers): registers.deviceType
        }
    }

    /// Whether it interrupts. Who waits for one that does not has to look.
    public var hasInterrupts: Bool {
        switch self {
        case .mmio: true
        case .pci(let registers): registers.hasInterrupts
        }
    }

    public var status: DeviceStatus {
        switch self {
        case .mmio(let registers): registers.status
        case .pci(let registers): registers.status
        }
    }

    public func setStatus(_ status: DeviceStatus) {
        switch self {
        case .mmio(let registers): registers.setStatus(status)
        case .pci(let registers): registers.setStatus(status)
        }
    }

    public var offeredFeatures: Features {
        switch self {
        case .mmio(let registers): registers.offeredFeatures
        case .pci(let registers): registers.offeredFeatures
        }
    }

    public func accept(_ features: Features) {
        switch self {
        case .mmio(let registers): registers.accept(features)
        case .pci(let registers): registers.accept(features)
        }
    }

    public func queueLimit(_ index: UInt16) -> Int {
        switch self {
        case .mmio(let registers): registers.queueLimit(index)
        case .pci(let registers): registers.queueLimit(index)
        }
    }

    public func startQueue(_ index: UInt16, size: Int, _ addresses: QueueAddresses) -> Bool {
        switch self {
        case .mmio(let registers): registers.startQueue(index, size, addresses)
        case .pci(let registers): registers.startQueue(index, size, addresses)
        }
    }

    public func notify(_ index: UInt16) {
        switch self {
        case .mmio(let registers): registers.notify(index)
        case .pci(let registers): registers.notify(index)
        }
    }

    public func acknowledgeInterrupt() {
        switch self {
        case .mmio(let registers): registers.acknowledgeInterrupt()
        case .pci: break  // A message needs no answer.
        }
    }

    public var configurationSize: Int {
        switch self {
        case .mmio(let registers): registers.configurationSize
        case .pci(let registers): registers.configurationSize
        }
    }

    public var configuration: UnsafeMutableRawPointer {
        switch self {
        case .mmio(let registers): registers.configuration
        case .pci(let registers): registers.configuration
        }
    }

    public var configurationGeneration: UInt32 {
        switch self {
        case .mmio(let registers): registers.configurationGeneration
        case .pci(let registers): registers.configurationGeneration
        }
    }
}
