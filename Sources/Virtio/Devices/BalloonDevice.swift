/// A memory balloon (virtio 1.2, section 5.5), used for free page reporting alone (section 5.5.6.7): the
/// device takes memory that nobody uses, and gives it back when it is touched again.
public struct BalloonDevice<Registers: DeviceTransport> {
    private let device: Device<Registers>
    private let reports: DeviceQueue<Registers>
    /// The chain of the report that is under way.
    private var isReporting = false

    // Features (5.5.3).
    private static var hasStatistics: Features { Features(rawValue: 1 << 1) }
    private static var hasHints: Features { Features(rawValue: 1 << 3) }
    private static var pagePoison: Features { Features(rawValue: 1 << 4) }
    private static var pageReporting: Features { Features(rawValue: 1 << 5) }

    /// In the configuration (5.5.4).
    private static var poisonOffset: Int { 12 }

    /// A device that does not report pages, or whose pages may then hold anything, is of no use here.
    public init(_ transport: Registers, _ allocate: AllocateShared) throws(DeviceFault) {
        let needed: Features = [BalloonDevice.pageReporting, BalloonDevice.pagePoison]
        device = try Device(transport, wanted: needed)
        guard device.features.isSuperset(of: needed) else { throw .noAgreement }
        // Behind the queues that inflate and deflate, and those of features that the device has.
        let offered = transport.offeredFeatures
        let statistics: UInt16 = offered.contains(BalloonDevice.hasStatistics) ? 1 : 0
        let hints: UInt16 = offered.contains(BalloonDevice.hasHints) ? 1 : 0
        reports = try device.makeQueue(2 + statistics + hints, size: 4, least: 1, allocate)
        // What is reported is zero, and stays so (5.5.6.7.1).
        device.setConfiguration32(BalloonDevice.poisonOffset, 0)
        device.start()
    }

    public func acknowledgeInterrupt() { device.transport.acknowledgeInterrupt() }

    /// Begins to report a range of memory that is zero and that nobody uses until the report has ended;
    /// false when another one has not.
    public mutating func report(_ address: UInt64, _ length: UInt32) -> Bool {
        let range = Buffer(address: address, length: length, isWritten: true)
        guard !isReporting, reports.queue.offer(range) != nil else { return false }
        isReporting = true
        _ = reports.queue.enableInterrupt()
        reports.notify()
        return true
    }

    /// Whether no report is under way any more.
    public mutating func hasReported() throws(QueueFault) -> Bool {
        if isReporting, try reports.queue.take() != nil { isReporting = false }
        return !isReporting
    }
}
