import LinuxABI
import Platform

/// A name in a directory: what a path leads through.
///
/// A directory's table owns its dentries, and each owns its parent, so that a path can be told as
/// long as anybody holds its end; the cycle is broken when the name is removed.
public final class Dentry {
    private(set) var name: UnsafeMutablePointer<UInt8>
    private(set) var nameCount: Int
    private(set) var hash: UInt32
    /// Nil for a whiteout: a name that the lower layer has and that was removed.
    public internal(set) final var inode: Inode?
    public internal(set) final var parent: Dentry?
    /// The inode of a name that is no whiteout; kept by whoever keeps the dentry.
    var node: Unmanaged<Inode> {
        @inline(__always) get { Unmanaged.passUnretained(inode.unsafelyUnwrapped) }
    }
    /// The root of the file system that is mounted here.
    final var mounted: Dentry?
    /// Where the file system is mounted whose root this is.
    final var mountPoint: Dentry?
    public internal(set) final var isRemoved: Bool {
        get { original?.wasRemoved ?? wasRemoved }
        set { wasRemoved = newValue }
    }
    private final var wasRemoved = false
    /// What an alias in a bind mount stands for; nil for a name of its own.
    final var original: Dentry?
    /// The bind mount that an alias is in, which outlives it.
    unowned(unsafe) final var bind: BindMount?
    /// The order of creation in its directory, which readdir's positions are.
    final var sequence: UInt64 = 0

    /// Throws `noMemory`.
    init(_ name: Name, _ inode: Inode?, in parent: Dentry?) throws(Errno) {
        self.name = try Dentry.copy(name)
        nameCount = name.count
        hash = name.hash
        self.inode = inode
        self.parent = parent
    }

    deinit {
        KernelBuffer.free(name)
        if !FileWatches.isIdle, let inode, inode.links == 0 { FileWatches.tellGone(inode) }
        releaseParents()
    }

    /// A long chain of removed directories is let go without recursion.
    private func releaseParents() {
        var next = parent
        parent = nil
        while next != nil, isKnownUniquelyReferenced(&next), let dentry = next {
            next = nil
            let above = dentry.parent
            dentry.parent = nil
            next = above
        }
    }

    private static func copy(_ name: Name) throws(Errno) -> UnsafeMutablePointer<UInt8> {
        let memory = try KernelBuffer.allocate(name.count)
        memory.copyMemory(from: name.bytes, byteCount: name.count)
        return memory.assumingMemoryBound(to: UInt8.self)
    }

    /// Moves the dentry to another directory or name, outside any table.
    func move(to name: Name, in parent: Dentry) throws(Errno) {
        let copy = try Dentry.copy(name)
        KernelBuffer.free(self.name)
        self.name = copy
        nameCount = name.count
        hash = name.hash
        self.parent = parent
    }

    var nameView: Name { Name(name, count: nameCount, hash: hash) }
    var nameBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: name, count: nameCount) }

    /// The dentry above, across the file system's own root.
    var above: Dentry? {
        var dentry = self
        while let mountPoint = dentry.mountPoint { dentry = mountPoint }
        return dentry.parent
    }

    /// What a walk arrives at here: the root of what is mounted, or the dentry itself.
    var top: Dentry {
        var dentry = self
        while let mounted = dentry.mounted { dentry = mounted }
        return dentry
    }

    /// Whether `other` is this dentry or below it.
    func contains(_ other: Dentry) -> Bool {
        var cursor: Dentry? = other
        while let dentry = cursor {
            if dentry.isSame(as: self) { return true }
            cursor = dentry.above
        }
        return false
    }

    /// Appends the absolute path as seen from `root`; false when the dentry is not below it.
    @discardableResult
    func appendPath(to text: inout TextBuffer, from root: Dentry) -> Bool {
        var chain: [Unmanaged<Dentry>] = []
        var cursor: Dentry? = self
        var isBelow = false
        while let dentry = cursor {
            if dentry.isSame(as: root) {
                isBelow = true
                break
            }
            var named = dentry
            while let mountPoint = named.mountPoint { named = mountPoint }
            guard let parent = named.parent else { break }
            chain.append(Unmanaged.passUnretained(named))
            cursor = parent
        }
        if chain.isEmpty { text.append("/") }
        for entry in chain.reversed() {
            text.append("/")
            entry._withUnsafeGuaranteedRef { text.append($0.nameBytes) }
        }
        return isBelow
    }
}
