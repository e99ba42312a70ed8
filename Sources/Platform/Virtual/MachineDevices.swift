import Platform
import Virtio

/// The virtio devices of the machine: those that the command line announces, and those on PCI buses.
/// Each has an interrupt vector of its own.
enum MachineDevices {
    /// Whose interrupt a vector is.
    private enum Driver {
        case none
        case link
        case terminal
        case entropy
        case disk(Int)
        case files(Int)
        case card
        case balloon
    }

    nonisolated(unsafe) private static var drivers = InlineArray<28, Driver>(repeating: .none)
    nonisolated(unsafe) private static var vectorCount = 0

    /// Called once, before the kernel has the memory.
    static func start(_ commandLine: UnsafeRawBufferPointer) {
        if Images.hasOwnTerminal { startSerialPort() }
        MMIOAnnouncement.forEach(in: commandLine) { startAnnounced($0) }
        PCIBus.forEachFunction { function in
            if let transport = transport(of: function) { startDriver(.pci(transport)) }
        }
        if Images.hasOwnTerminal {
            if MachineTerminal.line == nil { MachineTerminal.prepare() }
        } else if !Link.isThere {
            die("the machine has no virtio console, which is the link to unirun")
        }
        EntropySource.addToSeed()
    }

    static func takeInterrupt(_ vector: UInt64) {
        switch drivers[Int(vector - InterruptController.deviceVectors.lowerBound)] {
        case .none: break
        case .link: Link.takeInterrupt()
        case .terminal: MachineTerminal.takeInterrupt()
        case .entropy: EntropySource.takeInterrupt()
        case .disk(let number): Disks.takeInterrupt(number)
        case .files(let number): FileServers.takeInterrupt(number)
        case .card: Card.takeInterrupt()
        case .balloon: FreePages.takeInterrupt()
        }
    }

    /// Finds a console for last words, when no device was started yet.
    static func findConsole(_ commandLine: UnsafeRawBufferPointer) {
        MMIOAnnouncement.forEach(in: commandLine) { announcement in
            if let transport = transport(of: announcement) { take(.mmio(transport)) }
        }
        PCIBus.forEachFunction { function in
            if let transport = transport(of: function) { take(.pci(transport)) }
        }
        func take(_ transport: Transport) {
            guard LastWords.emergency == nil, transport.deviceType == DeviceType.console else {
                return
            }
            LastWords.emergency = EmergencyOutput(transport)
        }
    }

    // MARK: Finding

    private static func startAnnounced(_ announcement: MMIOAnnouncement) {
        guard let vector = nextVector, let transport = transport(of: announcement),
            InterruptController.route(announcement.interrupt, to: vector)
        else { return }
        startDriver(.mmio(transport))
    }

    private static func transport(of announcement: MMIOAnnouncement) -> MMIOTransport? {
        guard let registers = Physical.low(announcement.base, Int(announcement.size)) else {
            return nil
        }
        return MMIOTransport(registers, size: Int(announcement.size))
    }

    private static func transport(of function: PCIBus.Function) -> PCITransport? {
        guard let vector = nextVector else { return nil }
        let message = InterruptController.message(vector)
        return PCITransport(function, message: message, map: { Physical.low($0, $1) })
    }

    private static var nextVector: UInt64? {
        guard vectorCount < drivers.count else { return nil }
        return InterruptController.deviceVectors.lowerBound + UInt64(vectorCount)
    }

    private static func startDriver(_ transport: Transport) {
        startDriver { driver(for: transport) }
    }

    /// An interrupt that comes meanwhile waits until it is known whose it is.
    private static func startDriver(_ start: () -> Driver?) {
        let wereOn = interrupts_take_off() != 0
        defer { if wereOn { interrupts_enable() } }
        guard let driver = start() else { return }
        drivers[vectorCount] = driver
        vectorCount += 1
    }

    /// Nil for a device that nobody drives; it stays as it is.
    private static func driver(for transport: Transport) -> Driver? {
        guard transport.hasInterrupts || transport.deviceType == DeviceType.balloon else {
            return nil
        }
        return switch transport.deviceType {
        case DeviceType.console where Images.hasOwnTerminal: startTerminal(transport)
        case DeviceType.console where !Link.isThere: startLink(transport)
        case DeviceType.entropy: EntropySource.start(transport) ? .entropy : nil
        case DeviceType.block: Disks.start(transport).map { .disk($0) }
        case DeviceType.ninePFiles: FileServers.start(transport).map { .files($0) }
        case DeviceType.network: Card.start(transport) ? .card : nil
        case DeviceType.balloon: FreePages.start(transport) ? .balloon : nil
        default: nil
        }
    }

    /// The first console where there is no serial port.
    private static func startTerminal(_ transport: Transport) -> Driver? {
        guard MachineTerminal.line == nil else { return nil }
        LastWords.emergency = EmergencyOutput(transport)
        return MachineTerminal.start(transport) ? .terminal : nil
    }

    private static func startSerialPort() {
        guard let port = SerialPort.first, let vector = nextVector,
            InterruptController.route(SerialPort.interrupt, to: vector)
        else { return }
        startDriver {
            MachineTerminal.start(port)
            return .terminal
        }
    }

    private static func startLink(_ transport: Transport) -> Driver? {
        LastWords.emergency = EmergencyOutput(transport)
        return Link.start(transport) ? .link : nil
    }
}
