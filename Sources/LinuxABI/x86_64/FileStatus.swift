/// What stat(2) and statx(2) tell of a file: `struct stat` of x86-64, so that it is laid out once,
/// then what only statx(2) has.
public struct FileStatus: BitwiseCopyable {
    public var device: UInt64 = 0
    public var inode: UInt64 = 0
    public var links: UInt64 = 1
    public var mode: UInt32 = 0
    public var user: UInt32 = 0
    /// With its padding, so that it is written as one word, as it is copied: a word that was just
    /// written in halves is slow to read.
    private var wideGroup: UInt64 = 0
    public var specialDevice: UInt64 = 0
    public var size: Int64 = 0
    public var blockSize: Int64 = 4096
    /// Units of 512 bytes.
    public var blocks: Int64 = 0
    public var accessTime = FileTime()
    public var modificationTime = FileTime()
    public var changeTime = FileTime()
    public var reserved = InlineArray<3, Int64>(repeating: 0)
    public var birthTime = FileTime()

    public var group: UInt32 {
        @inline(__always) get { UInt32(truncatingIfNeeded: wideGroup) }
        @inline(__always) set { wideGroup = UInt64(newValue) }
    }

    /// The bytes of `struct stat`.
    public static var recordSize: Int { 144 }

    @inline(__always)
    public init() {}
}
