/// Feature bits that any device may offer (virtio 1.2, section 6); each device has its own besides.
public struct Features: OptionSet, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static var eventIndex: Features { Features(rawValue: 1 << 29) }
    public static var version1: Features { Features(rawValue: 1 << 32) }
    /// Addresses are those of the platform; here that is what they are in any case.
    public static var accessPlatform: Features { Features(rawValue: 1 << 33) }
    public static var packedRing: Features { Features(rawValue: 1 << 34) }
    public static var orderPlatform: Features { Features(rawValue: 1 << 36) }

    /// Those that every driver here takes.
    static var common: Features {
        [.eventIndex, .version1, .accessPlatform, .packedRing, .orderPlatform]
    }
}

/// How far driver and device are (section 2.1).
public struct DeviceStatus: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static var acknowledged: DeviceStatus { DeviceStatus(rawValue: 1) }
    public static var hasDriver: DeviceStatus { DeviceStatus(rawValue: 2) }
    public static var driverOK: DeviceStatus { DeviceStatus(rawValue: 4) }
    public static var featuresOK: DeviceStatus { DeviceStatus(rawValue: 8) }
    public static var needsReset: DeviceStatus { DeviceStatus(rawValue: 64) }
    public static var failed: DeviceStatus { DeviceStatus(rawValue: 128) }
}
