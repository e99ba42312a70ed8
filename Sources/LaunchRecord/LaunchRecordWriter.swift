/// Builds a launch record; the inverse of `LaunchRecordReader`.
public struct LaunchRecordWriter {
    private var bytes: [UInt8] = []

    public init() {
        append(LaunchRecord.magic)
        append(LaunchRecord.version)
        append(UInt32(LaunchRecord.headerSize))
    }

    /// The finished record.
    public var record: [UInt8] {
        var finished = self
        finished.setLength()
        return finished.bytes
    }

    /// Not generic: the command, which is another module, would look conformances up at each start.
    public mutating func add(_ kind: LaunchRecord.Kind, _ payload: [UInt8]) {
        append(kind.rawValue)
        append(UInt16(0))
        append(UInt32(payload.count))
        bytes += payload
        while bytes.count % LaunchRecord.alignment != 0 { bytes.append(0) }
    }

    public mutating func add(_ kind: LaunchRecord.Kind, _ text: String) {
        add(kind, Array(text.utf8))
    }

    public mutating func add(_ kind: LaunchRecord.Kind, _ value: UInt64) {
        add(kind, littleEndianBytes(value))
    }

    public mutating func addUser(_ user: UInt32, group: UInt32) {
        add(.user, littleEndianBytes(user) + littleEndianBytes(group))
    }

    public mutating func addNetworkAddress(_ address: UInt32, prefixLength: UInt32) {
        add(.networkAddress, littleEndianBytes(address) + littleEndianBytes(prefixLength))
    }

    public mutating func addVolume(_ path: String, isReadOnly: Bool) {
        add(.volume, [isReadOnly ? 1 : 0] + Array(path.utf8))
    }

    public mutating func addStandardStreams(_ streams: [HostStream]) {
        var payload: [UInt8] = []
        for stream in streams {
            payload += littleEndianBytes(stream.mode) + littleEndianBytes(stream.flags)
            payload += littleEndianBytes(stream.device) + littleEndianBytes(stream.inode)
            payload += littleEndianBytes(stream.size)
        }
        add(.standardStreams, payload)
    }

    public mutating func addKnownSites(_ sites: [KnownSite]) {
        var payload: [UInt8] = []
        for site in sites { payload += littleEndianBytes(site.word) }
        add(.knownSites, payload)
    }

    private mutating func append(_ value: some FixedWidthInteger) {
        bytes += littleEndianBytes(value)
    }

    private mutating func setLength() {
        let length = littleEndianBytes(UInt32(bytes.count))
        for index in length.indices { bytes[12 + index] = length[index] }
    }
}

private func littleEndianBytes(_ value: some FixedWidthInteger) -> [UInt8] {
    (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
}
