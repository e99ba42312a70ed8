/// A time as `struct timespec` holds it.
public struct FileTime: BitwiseCopyable, Equatable, Sendable {
    public var seconds: Int64
    public var nanoseconds: Int64

    @inline(__always)
    public init(seconds: Int64 = 0, nanoseconds: Int64 = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// UTIME_NOW
    public static var nowMark: Int64 { (1 << 30) - 1 }
    /// UTIME_OMIT
    public static var omitMark: Int64 { (1 << 30) - 2 }
}

/// `struct statx`.
public struct ExtendedStatusRecord: BitwiseCopyable {
    public struct Time: BitwiseCopyable {
        public var seconds: Int64
        public var nanoseconds: UInt32
        public var reserved: Int32 = 0

        init(_ time: FileTime) {
            seconds = time.seconds
            nanoseconds = UInt32(truncatingIfNeeded: time.nanoseconds)
        }
    }

    public var mask: UInt32
    public var blockSize: UInt32
    public var attributes: UInt64 = 0
    public var links: UInt32
    public var user: UInt32
    public var group: UInt32
    public var mode: UInt16
    public var spare0: UInt16 = 0
    public var inode: UInt64
    public var size: UInt64
    public var blocks: UInt64
    public var attributesMask: UInt64 = 0
    public var accessTime: Time
    public var birthTime: Time
    public var changeTime: Time
    public var modificationTime: Time
    public var specialMajor: UInt32
    public var specialMinor: UInt32
    public var deviceMajor: UInt32
    public var deviceMinor: UInt32
    public var mountID: UInt64
    public var directMemoryAlignment: UInt32 = 0
    public var directOffsetAlignment: UInt32 = 0
    public var spare1 = InlineArray<12, UInt64>(repeating: 0)

    /// STATX_BASIC_STATS and STATX_BTIME.
    public static var basicMask: UInt32 { 0xfff }
    /// STATX_MNT_ID
    public static var mountMask: UInt32 { 0x1000 }
    /// STATX__RESERVED
    public static var reservedMask: UInt32 { 0x8000_0000 }

    public init(_ status: FileStatus, mountID: UInt64) {
        mask = ExtendedStatusRecord.basicMask | ExtendedStatusRecord.mountMask
        blockSize = UInt32(truncatingIfNeeded: status.blockSize)
        links = UInt32(truncatingIfNeeded: status.links)
        user = status.user
        group = status.group
        mode = UInt16(truncatingIfNeeded: status.mode)
        inode = status.inode
        size = UInt64(bitPattern: status.size)
        blocks = UInt64(bitPattern: status.blocks)
        accessTime = Time(status.accessTime)
        birthTime = Time(status.birthTime)
        changeTime = Time(status.changeTime)
        modificationTime = Time(status.modificationTime)
        specialMajor = LinuxABI.deviceMajor(status.specialDevice)
        specialMinor = LinuxABI.deviceMinor(status.specialDevice)
        deviceMajor = LinuxABI.deviceMajor(status.device)
        deviceMinor = LinuxABI.deviceMinor(status.device)
        self.mountID = mountID
    }
}

/// `struct statfs`.
public struct FilesystemStatusRecord: BitwiseCopyable {
    public var type: Int64
    public var blockSize: Int64 = 4096
    public var blocks: UInt64 = 0
    public var freeBlocks: UInt64 = 0
    public var availableBlocks: UInt64 = 0
    public var files: UInt64 = 0
    public var freeFiles: UInt64 = 0
    public var identifier: UInt64 = 0
    public var nameLength: Int64 = 255
    public var fragmentSize: Int64 = 4096
    public var flags: Int64 = 0
    public var spare = InlineArray<4, Int64>(repeating: 0)

    public init(type: Int64) { self.type = type }

    /// ST_RDONLY
    public static var readOnlyFlag: Int64 { 1 }
    /// ST_VALID
    public static var validFlag: Int64 { 0x20 }
}
