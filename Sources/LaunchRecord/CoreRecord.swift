/// How a core reaches `unirun`, on `HostDescriptor.core`: records of
///
///     u64 position, u64 bytes of payload, payload
///
/// little-endian. Without a payload the position is the file's new size: zero begins a core, in the place
/// of one before.
public enum CoreRecord {
    public static let headerSize = 16
    /// The largest payload.
    public static let payloadLimit: UInt64 = 65536
    /// No position lies beyond: the address space ends there.
    public static let largestPosition: UInt64 = 1 << 47
}
