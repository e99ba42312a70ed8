import LaunchRecord
import LinuxABI
import Platform

/// What `unirun` asked for, as the launch record has it.
public struct Launch {
    public var programPath: [UInt8] = []
    /// Arguments and environment: strings, each with its zero byte.
    public var arguments: [UInt8] = []
    public var environment: [UInt8] = []
    public var workingDirectory: [UInt8] = [0x2f]
    public var user: UInt32 = 0
    public var group: UInt32 = 0
    public var hostname: [UInt8] = []
    /// Bytes; nil without a limit.
    public var memoryLimit: UInt64?
    public var options = LaunchOptions(rawValue: 0)
    public var temporaryDirectories: [[UInt8]] = []
    public var traceFilter: [UInt8] = []
    public var programSize: UInt64 = 0
    public var rootImageSize: UInt64 = 0
    /// Three `HostStream` records.
    public var standardStreams = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Signals that were ignored when `unirun` started, bit n-1 for signal n.
    public var ignoredSignals: UInt64 = 0
    /// `KnownSite`s of the program.
    public var knownSites = UnsafeRawBufferPointer(start: nil, count: 0)
    /// The host's on its network, as bits and how many of them are the network's; nil without one.
    public var networkAddress: (bits: UInt32, prefixLength: UInt32)?

    public var volumes: [VolumeMount] = []

    /// Reads the record that the platform found.
    public init() throws(LaunchRecordReader.Failure) {
        var reader = try LaunchRecordReader(
            UnsafeRawBufferPointer(
                start: boot.pointee.launch_record,
                count: Int(boot.pointee.launch_record_size)
            )
        )
        while let item = try reader.next() { take(item.kind, item.payload) }
    }

    private mutating func take(_ kind: LaunchRecord.Kind, _ payload: UnsafeRawBufferPointer) {
        switch kind {
        case .programPath: programPath = Array(payload)
        case .argument: Launch.append(payload, to: &arguments)
        case .environment: Launch.append(payload, to: &environment)
        case .workingDirectory: workingDirectory = Array(payload)
        case .user:
            guard payload.count == 8 else { return }
            user = payload.loadUnaligned(as: UInt32.self)
            group = payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        case .hostname: hostname = Array(payload)
        case .memoryLimit: memoryLimit = Launch.word(payload)
        case .options: options = LaunchOptions(rawValue: Launch.word(payload) ?? 0)
        case .temporaryDirectory: temporaryDirectories.append(Array(payload))
        case .volume:
            guard let first = payload.first else { return }
            volumes.append(VolumeMount(path: Array(payload.dropFirst()), isReadOnly: first != 0))
        case .traceFilter: traceFilter = Array(payload)
        case .randomSeed, .tellsVectorUse: break  // The platform's: boot_information.
        case .programSize: programSize = Launch.word(payload) ?? 0
        case .rootImageSize: rootImageSize = Launch.word(payload) ?? 0
        case .standardStreams: standardStreams = payload
        case .ignoredSignals: ignoredSignals = Launch.word(payload) ?? 0
        case .knownSites: knownSites = payload
        case .networkAddress:
            guard payload.count == 8 else { return }
            networkAddress = (
                payload.loadUnaligned(as: UInt32.self),
                payload.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
            )
        }
    }

    private static func append(_ payload: UnsafeRawBufferPointer, to strings: inout [UInt8]) {
        // A zero byte inside would make two strings of one.
        for byte in payload where byte != 0 { strings.append(byte) }
        strings.append(0)
    }

    private static func word(_ payload: UnsafeRawBufferPointer) -> UInt64? {
        payload.count == 8 ? payload.loadUnaligned(as: UInt64.self) : nil
    }
}
