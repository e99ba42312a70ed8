/// `struct stat` of x86-64.
public struct FileStatusRecord: BitwiseCopyable {
    public var device: UInt64
    public var inode: UInt64
    public var links: UInt64
    public var mode: UInt32
    public var user: UInt32
    public var group: UInt32
    public var padding: UInt32 = 0
    public var specialDevice: UInt64
    public var size: Int64
    public var blockSize: Int64
    public var blocks: Int64
    public var accessTime: FileTime
    public var modificationTime: FileTime
    public var changeTime: FileTime
    public var reserved = InlineArray<3, Int64>(repeating: 0)

    @inline(__always)
    public init(_ status: FileStatus) {
        device = status.device
        inode = status.inode
        links = status.links
        mode = status.mode
        user = status.user
        group = status.group
        specialDevice = status.specialDevice
        size = status.size
        blockSize = status.blockSize
        blocks = status.blocks
        accessTime = status.accessTime
        modificationTime = status.modificationTime
        changeTime = status.changeTime
    }
}
