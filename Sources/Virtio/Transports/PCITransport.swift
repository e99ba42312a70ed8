import Registers

/// A device on a PCI bus (virtio 1.2, section 4.1), by its modern registers. Its interrupts are
/// messages, all of them the first of its table; a device that has no table sends none.
public struct PCITransport {
    public let deviceType: UInt32
    public let hasInterrupts: Bool
    private let common: UnsafeMutableRawPointer
    private let notifications: Region
    private let notifyMultiplier: Int
    private let own: Region

    struct Region {
        let pointer: UnsafeMutableRawPointer
        let size: Int
    }

    // Fields of the common configuration (4.1.4.3).
    private static var deviceFeatureSelect: Int { 0 }
    private static var deviceFeature: Int { 4 }
    private static var driverFeatureSelect: Int { 8 }
    private static var driverFeature: Int { 12 }
    private static var configurationMessage: Int { 16 }
    private static var deviceStatus: Int { 20 }
    private static var generation: Int { 21 }
    private static var queueSelect: Int { 22 }
    private static var queueSize: Int { 24 }
    private static var queueMessage: Int { 26 }
    private static var queueEnable: Int { 28 }
    private static var queueNotifyOffset: Int { 30 }
    private static var queueDescriptors: Int { 32 }
    private static var queueDriver: Int { 40 }
    private static var queueDevice: Int { 48 }
    private static var commonSize: Int { 56 }

    /// For changes of the configuration and all queues: the first of the table, or none.
    private var message: UInt16 { hasInterrupts ? 0 : 0xffff }

    /// Nil when the function is no virtio device, or lacks what the section asks for.
    ///
    /// - Parameters:
    ///   - message: address and data of the message that is its interrupt.
    ///   - map: where the driver sees device memory; nil where it does not.
    public init?<Function: PCIFunction>(
        _ function: Function,
        message: (address: UInt64, data: UInt32),
        map: (_ address: UInt64, _ size: Int) -> UnsafeMutableRawPointer?
    ) {
        guard let type = PCITransport.deviceType(function) else { return nil }
        deviceType = type
        function.enable()
        let places = CapabilityPlaces(function)
        guard let common = places.region(.common, of: function, map),
            common.size >= PCITransport.commonSize,
            let notifications = places.region(.notifications, of: function, map),
            notifications.size >= 2
        else { return nil }
        hasInterrupts = PCITransport.setMessage(function, message, map)
        self.common = common.pointer
        self.notifications = notifications
        notifyMultiplier = places.notifyMultiplier(of: function)
        own =
            places.region(.device, of: function, map) ?? Region(pointer: common.pointer, size: 0)
    }

    /// What a function is (4.1.2); nil when it is no virtio device. One that also offers what was
    /// before virtio 1.0 tells by its subsystem.
    private static func deviceType<Function: PCIFunction>(_ function: Function) -> UInt32? {
        let identity = function.identity
        guard identity & 0xffff == 0x1af4 else { return nil }
        switch identity >> 16 {
        case 0x1040...0x107f: return identity >> 16 - 0x1040
        case 0x1000...0x103f: return UInt32(function.load16(0x2e))
        default: return nil
        }
    }

    /// Turns message interrupts on (PCI 3.0, section 6.8.2) and fills the first entry of their table.
    private static func setMessage<Function: PCIFunction>(
        _ function: Function,
        _ message: (address: UInt64, data: UInt32),
        _ map: (UInt64, Int) -> UnsafeMutableRawPointer?
    ) -> Bool {
        var capability: Int?
        function.forEachCapability { kind, offset in
            let messages: UInt8 = 0x11
            if kind == messages { capability = offset }
        }
        guard let capability, capability <= 244 else { return false }
        let place = function.load(capability + 4)
        guard let base = function.memoryAddress(UInt8(place & 7)),
            let entry = map(base &+ UInt64(place & ~7), 16)
        else { return false }
        let (enabled, masked): (UInt32, UInt32) = (1 << 31, 1 << 30)
        let control = function.load(capability)
        function.store(capability, control | enabled | masked)
        device_store32(entry, UInt32(truncatingIfNeeded: message.address))
        device_store32(entry + 4, UInt32(message.address >> 32))
        device_store32(entry + 8, message.data)
        device_store32(entry + 12, 0)
        function.store(capability, (control | enabled) & ~masked)
        return true
    }

    // MARK: Registers

    var status: DeviceStatus {
        DeviceStatus(rawValue: device_load8(common + PCITransport.deviceStatus))
    }

    func setStatus(_ status: DeviceStatus) {
        device_store8(common + PCITransport.deviceStatus, status.rawValue)
    }

    var offeredFeatures: Features {
        device_store32(common + PCITransport.deviceFeatureSelect, 1)
        let high = device_load32(common + PCITransport.deviceFeature)
        device_store32(common + PCITransport.deviceFeatureSelect, 0)
        let low = device_load32(common + PCITransport.deviceFeature)
        return Features(rawValue: UInt64(high) << 32 | UInt64(low))
    }

    func accept(_ features: Features) {
        device_store32(common + PCITransport.driverFeatureSelect, 1)
        device_store32(common + PCITransport.driverFeature, UInt32(features.rawValue >> 32))
        device_store32(common + PCITransport.driverFeatureSelect, 0)
        device_store32(
            common + PCITransport.driverFeature,
            UInt32(truncatingIfNeeded: features.rawValue)
        )
        device_store16(common + PCITransport.configurationMessage, message)
    }

    func queueLimit(_ index: UInt16) -> Int {
        device_store16(common + PCITransport.queueSelect, index)
        return Int(device_load16(common + PCITransport.queueSize))
    }

    func startQueue(_ index: UInt16, _ size: Int, _ addresses: QueueAddresses) -> Bool {
        device_store16(common + PCITransport.queueSelect, index)
        guard notifyPlace() != nil else { return false }
        device_store16(common + PCITransport.queueSize, UInt16(size))
        device_store16(common + PCITransport.queueMessage, message)
        // The device says so when it cannot keep the message.
        guard device_load16(common + PCITransport.queueMessage) == message else { return false }
        storeAddress(PCITransport.queueDescriptors, addresses.descriptors)
        storeAddress(PCITransport.queueDriver, addresses.driver)
        storeAddress(PCITransport.queueDevice, addresses.device)
        device_store16(common + PCITransport.queueEnable, 1)
        return true
    }

    /// In halves: the section allows no wider access.
    private func storeAddress(_ field: Int, _ address: UInt64) {
        device_store32(common + field, UInt32(truncatingIfNeeded: address))
        device_store32(common + field + 4, UInt32(address >> 32))
    }

    /// Where the selected queue is told of (4.1.4.4); nil when that is outside its region.
    private func notifyPlace() -> UnsafeMutableRawPointer? {
        let number = Int(device_load16(common + PCITransport.queueNotifyOffset))
        let (offset, isTooLarge) = number.multipliedReportingOverflow(by: notifyMultiplier)
        guard !isTooLarge, offset <= notifications.size - 2 else { return nil }
        return notifications.pointer + offset
    }

    func notify(_ index: UInt16) {
        device_store16(common + PCITransport.queueSelect, index)
        guard let place = notifyPlace() else { return }
        device_store16(place, index)
    }

    var configuration: UnsafeMutableRawPointer { own.pointer }
    var configurationSize: Int { own.size }
    var configurationGeneration: UInt32 {
        UInt32(device_load8(common + PCITransport.generation))
    }
}

/// Where a function's virtio structures are said to lie: the first capability of each kind that can
/// be used (4.1.4).
private struct CapabilityPlaces {
    enum Kind: UInt8 {
        case common = 1
        case notifications = 2
        case device = 4
    }

    /// By kind; zero where there is none.
    private var offsets = InlineArray<5, Int>(repeating: 0)

    init<Function: PCIFunction>(_ function: Function) {
        var offsets = offsets
        function.forEachCapability { kind, offset in
            let vendorSpecific: UInt8 = 0x09
            guard kind == vendorSpecific, offset <= 236,
                let kind = Kind(rawValue: function.load8(offset + 3)),
                offsets[Int(kind.rawValue)] == 0
            else { return }
            offsets[Int(kind.rawValue)] = offset
        }
        self.offsets = offsets
    }

    func region<Function: PCIFunction>(
        _ kind: Kind,
        of function: Function,
        _ map: (UInt64, Int) -> UnsafeMutableRawPointer?
    ) -> PCITransport.Region? {
        let capability = offsets[Int(kind.rawValue)]
        guard capability != 0, let base = function.memoryAddress(function.load8(capability + 4))
        else { return nil }
        let (offset, size) = (function.load(capability + 8), function.load(capability + 12))
        guard base <= .max - UInt64(offset), let pointer = map(base + UInt64(offset), Int(size))
        else { return nil }
        return PCITransport.Region(pointer: pointer, size: Int(size))
    }

    func notifyMultiplier<Function: PCIFunction>(of function: Function) -> Int {
        Int(function.load(offsets[Int(Kind.notifications.rawValue)] + 16))
    }
}
