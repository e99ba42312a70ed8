import LinuxABI

/// One file system that is mounted, or that anonymous files belong to. It lives as long as
/// the instance.
public class Filesystem {
    public final let device: UInt64
    /// As /proc/mounts names it.
    final let name: StaticString
    /// `f_type` of statfs(2).
    final let magic: Int64
    /// As mount(2) was told, and remounting.
    final var mountOptions: MountOptions = []
    public final var isReadOnly: Bool {
        @inline(__always) get { mountOptions.contains(.readOnly) }
        set {
            if newValue { mountOptions.insert(.readOnly) } else { mountOptions.remove(.readOnly) }
        }
    }
    /// What mount(2) was told to mount; nil tells the type.
    final var source: [UInt8]?
    /// umount2(2) with MNT_EXPIRE was called, and nothing since.
    final var isExpiring = false
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
        record.flags |= mountOptions.statusFlags
        record.identifier = device
        return record
    }

    /// Options of the file system's own, as /proc/PID/mounts shows them.
    func appendOptions(to text: inout TextBuffer) {}

    /// Mounts the file system's root on a directory.
    final func mount(on directory: Dentry) {
        attach(to: directory)
        Filesystem.mounts.append(self)
    }

    /// Frees what an unmounted file system holds. The record itself stays: there may be files that nobody
    /// can name any more.
    final func discard() {
        Filesystem.mounts.removeAll { $0 === self }
        dismantle()
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

    /// The device that /proc/PID/mountinfo shows, and which of its directories is mounted.
    var shownDevice: UInt64 { device }
    func appendShownRoot(to text: inout TextBuffer) { text.append("/") }

    /// Takes the tree apart, whose directories and names own each other.
    func dismantle() {
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
