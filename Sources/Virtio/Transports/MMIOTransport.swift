import Registers

/// A device whose registers lie in memory (virtio 1.2, section 4.2).
public struct MMIOTransport {
    private let base: UnsafeMutableRawPointer
    private let size: Int

    // Registers, as offsets (4.2.2).
    private static var magic: Int { 0x000 }
    private static var version: Int { 0x004 }
    private static var deviceID: Int { 0x008 }
    private static var deviceFeatures: Int { 0x010 }
    private static var deviceFeaturesSelect: Int { 0x014 }
    private static var driverFeatures: Int { 0x020 }
    private static var driverFeaturesSelect: Int { 0x024 }
    private static var queueSelect: Int { 0x030 }
    private static var queueLimit: Int { 0x034 }
    private static var queueSize: Int { 0x038 }
    private static var queueReady: Int { 0x044 }
    private static var queueNotify: Int { 0x050 }
    private static var interruptStatus: Int { 0x060 }
    private static var interruptAcknowledge: Int { 0x064 }
    private static var deviceStatus: Int { 0x070 }
    private static var queueDescriptors: Int { 0x080 }
    private static var queueDriver: Int { 0x090 }
    private static var queueDevice: Int { 0x0a0 }
    private static var generation: Int { 0x0fc }
    private static var configurationStart: Int { 0x100 }

    /// Nil when no device answers there, or one of before virtio 1.0.
    public init?(_ base: UnsafeMutableRawPointer, size: Int) {
        self.base = base
        self.size = size
        guard size >= MMIOTransport.configurationStart,
            load(MMIOTransport.magic) == 0x7472_6976, load(MMIOTransport.version) == 2,
            deviceType != 0
        else { return nil }
    }

    private func load(_ register: Int) -> UInt32 { device_load32(base + register) }
    private func store(_ register: Int, _ value: UInt32) { device_store32(base + register, value) }

    var deviceType: UInt32 { load(MMIOTransport.deviceID) }

    var status: DeviceStatus {
        DeviceStatus(rawValue: UInt8(truncatingIfNeeded: load(MMIOTransport.deviceStatus)))
    }

    func setStatus(_ status: DeviceStatus) {
        store(MMIOTransport.deviceStatus, UInt32(status.rawValue))
    }

    var offeredFeatures: Features {
        store(MMIOTransport.deviceFeaturesSelect, 1)
        let high = load(MMIOTransport.deviceFeatures)
        store(MMIOTransport.deviceFeaturesSelect, 0)
        return Features(rawValue: UInt64(high) << 32 | UInt64(load(MMIOTransport.deviceFeatures)))
    }

    func accept(_ features: Features) {
        store(MMIOTransport.driverFeaturesSelect, 1)
        store(MMIOTransport.driverFeatures, UInt32(features.rawValue >> 32))
        store(MMIOTransport.driverFeaturesSelect, 0)
        store(MMIOTransport.driverFeatures, UInt32(truncatingIfNeeded: features.rawValue))
    }

    func queueLimit(_ index: UInt16) -> Int {
        store(MMIOTransport.queueSelect, UInt32(index))
        return Int(load(MMIOTransport.queueLimit))
    }

    func startQueue(_ index: UInt16, _ size: Int, _ addresses: QueueAddresses) -> Bool {
        store(MMIOTransport.queueSelect, UInt32(index))
        guard load(MMIOTransport.queueReady) == 0 else { return false }
        store(MMIOTransport.queueSize, UInt32(size))
        storeAddress(MMIOTransport.queueDescriptors, addresses.descriptors)
        storeAddress(MMIOTransport.queueDriver, addresses.driver)
        storeAddress(MMIOTransport.queueDevice, addresses.device)
        store(MMIOTransport.queueReady, 1)
        return load(MMIOTransport.queueReady) == 1
    }

    private func storeAddress(_ register: Int, _ address: UInt64) {
        store(register, UInt32(truncatingIfNeeded: address))
        store(register + 4, UInt32(address >> 32))
    }

    func notify(_ index: UInt16) { store(MMIOTransport.queueNotify, UInt32(index)) }

    func acknowledgeInterrupt() {
        store(MMIOTransport.interruptAcknowledge, load(MMIOTransport.interruptStatus) & 3)
    }

    var configuration: UnsafeMutableRawPointer { base + MMIOTransport.configurationStart }
    var configurationSize: Int { size - MMIOTransport.configurationStart }
    var configurationGeneration: UInt32 { load(MMIOTransport.generation) }
}

/// A device as the command line announces it: `virtio_mmio.device=SIZE@BASE:INTERRUPT`, as QEMU and
/// Firecracker write it for Linux.
public struct MMIOAnnouncement: Equatable {
    public let base: UInt64
    public let size: UInt64
    /// The I/O APIC's number of it.
    public let interrupt: UInt32

    public init(base: UInt64, size: UInt64, interrupt: UInt32) {
        self.base = base
        self.size = size
        self.interrupt = interrupt
    }

    /// One word of a command line; nil when it announces no device, or is not understood.
    public init?(word: UnsafeRawBufferPointer) {
        var reader = NumberReader(word)
        guard reader.take("virtio_mmio.device="), let size = reader.takeSize(), reader.take("@"),
            let base = reader.takeNumber(), reader.take(":"), let line = reader.takeNumber(),
            // A number of the device may follow.
            reader.isAtEnd || reader.take(":"),
            line < 1 << 16, size <= 1 << 30, base <= .max - size
        else { return nil }
        self.init(base: base, size: size, interrupt: UInt32(line))
    }

    /// Calls `body` with each device that a command line announces.
    public static func forEach(in line: UnsafeRawBufferPointer, _ body: (MMIOAnnouncement) -> Void)
    {
        var start = 0
        for end in 0...line.count where end == line.count || line[end] <= UInt8(ascii: " ") {
            let word = UnsafeRawBufferPointer(rebasing: line[start..<end])
            if let device = MMIOAnnouncement(word: word) { body(device) }
            start = end + 1
        }
    }
}

/// Numbers in text, as C writes them.
private struct NumberReader {
    private let text: UnsafeRawBufferPointer
    private var position = 0

    init(_ text: UnsafeRawBufferPointer) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    mutating func take(_ word: StaticString) -> Bool {
        let isThere = word.withUTF8Buffer { word in
            word.count <= text.count - position
                && word.indices.allSatisfy { text[position + $0] == word[$0] }
        }
        if isThere { position += word.utf8CodeUnitCount }
        return isThere
    }

    /// A number and a unit of K, M or G.
    mutating func takeSize() -> UInt64? {
        guard let number = takeNumber(), number < 1 << 32 else { return nil }
        if take("K") || take("k") { return number << 10 }
        if take("M") || take("m") { return number << 20 }
        if take("G") || take("g") { return number << 30 }
        return number
    }

    mutating func takeNumber() -> UInt64? {
        let base: UInt64 = take("0x") || take("0X") ? 16 : 10
        var value: UInt64 = 0
        let start = position
        while position < text.count, let digit = Self.digit(text[position]), digit < base {
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: base)
            guard !isTooLarge, product <= .max - digit else { return nil }
            value = product + digit
            position += 1
        }
        return position > start ? value : nil
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }
}
