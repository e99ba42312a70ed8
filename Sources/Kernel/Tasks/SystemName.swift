import LinuxABI

/// What the system and the host are called: uname(2) and /proc tell the same.
public enum SystemName {
    public static let name: StaticString = "Linux"
    /// The Linux release whose calls and structures this kernel follows.
    public static let release: StaticString = "6.1.0-unirun"
    public static let version: StaticString = "#1 SMP PREEMPT unirun"
    public static let machine: StaticString = "x86_64"
    private static let unsetDomain: StaticString = "(none)"

    nonisolated(unsafe) private static var node: [UInt8] = []
    nonisolated(unsafe) private static var domain: [UInt8] = []

    /// Bytes of a name: __NEW_UTS_LEN.
    public static let longest = 64

    public static var nodeName: [UInt8] { node }

    public static var domainName: [UInt8] {
        domain.isEmpty ? Array(bytes(of: unsetDomain)) : domain
    }

    /// Forgets both names.
    static func stop() {
        node = []
        domain = []
    }

    /// As sethostname(2), and for the name of the launch record.
    public static func setNode(_ name: UnsafeRawBufferPointer) {
        node = Array(name.prefix(longest))
    }

    /// As setdomainname(2).
    public static func setDomain(_ name: UnsafeRawBufferPointer) {
        domain = Array(name.prefix(longest))
    }

    /// As uname(2).
    public static func record() -> SystemNameRecord {
        var record = SystemNameRecord()
        record.set(0, bytes(of: name))
        node.withUnsafeBytes { record.set(1, $0) }
        record.set(2, bytes(of: release))
        record.set(3, bytes(of: version))
        record.set(4, bytes(of: machine))
        domainName.withUnsafeBytes { record.set(5, $0) }
        return record
    }

    private static func bytes(of text: StaticString) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }
}
