import LinuxABI

/// One file system that is mounted, or that anonymous files belong to. It lives as long as
/// the instance.
public class Filesystem {
    public final let device: UInt64
    /// As /proc/mounts names it.
    final let name: StaticString
    /// `f_type` of statfs(2).
    final let magic: Int64
    public final var isReadOnly = false
    /// Whether files may have extended attributes and access lists.
    var keepsAttributes: Bool { false }
    final var root: Dentry! = nil
    final let mountID: UInt64
    private final var lastInode: UInt64 = 0

    nonisolated(unsafe) static var mounts: [Filesystem] = []
    nonisolated(unsafe) private static var lastDevice: UInt32 = 20
    nonisolated(unsafe) private static var immortals: [Filesystem] = []

    init(_ name: StaticString, magic: Int64) {
        self.name = name
        self.magic = magic
        Filesystem.lastDevice += 1
        device = deviceNumber(0, Filesystem.lastDevice)
        mountID = UInt64(Filesystem.lastDevice)
        Filesystem.immortals.append(self)
    }

    final func newInodeNumber() -> UInt64 {
        lastInode += 1
        return lastInode
    }

    /// As statfs(2).
    func status() -> FilesystemStatusRecord {
        var record = FilesystemStatusRecord(type: magic)
        record.flags = FilesystemStatusRecord.validFlag
        if isReadOnly { record.flags |= FilesystemStatusRecord.readOnlyFlag }
        record.identifier = device
        return record
    }

    /// Mounts the file system's root on a directory.
    final func mount(on directory: Dentry) {
        let directory = directory.top
        directory.mounted = root
        root.mountPoint = directory
        Filesystem.mounts.append(self)
    }

    /// Unmounts every file system and frees what they hold: the instance ends.
    static func unmountAll() {
        for filesystem in immortals { filesystem.dismantle() }
        reset()
    }

    /// Forgets every mount: the kernel starts anew, in tests. What was there lay in memory that is
    /// gone.
    static func reset() {
        for filesystem in immortals { filesystem.root = nil }
        mounts = []
        immortals = []
        lastDevice = 20
    }

    /// Takes the tree apart, whose directories and names own each other.
    private final func dismantle() {
        guard let root else { return }
        root.mountPoint?.mounted = nil
        root.mountPoint = nil
        self.root = nil
        var directories: [Dentry] = [root]
        while let directory = directories.popLast() {
            while let entry = directory.inode?.takeEntry() {
                entry.parent = nil
                if entry.inode?.mode.isDirectory == true { directories.append(entry) }
            }
        }
    }
}
