import LinuxABI
import Platform

/// What inotify(7) tells of; the bits are those of `struct inotify_event`.
public struct WatchEvents: OptionSet {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// IN_ACCESS
    public static var read: WatchEvents { WatchEvents(rawValue: 1) }
    /// IN_MODIFY
    public static var written: WatchEvents { WatchEvents(rawValue: 2) }
    /// IN_ATTRIB
    public static var attributes: WatchEvents { WatchEvents(rawValue: 4) }
    /// IN_CLOSE_WRITE
    public static var closedAfterWriting: WatchEvents { WatchEvents(rawValue: 8) }
    /// IN_CLOSE_NOWRITE
    public static var closed: WatchEvents { WatchEvents(rawValue: 0x10) }
    /// IN_OPEN
    public static var opened: WatchEvents { WatchEvents(rawValue: 0x20) }
    /// IN_MOVED_FROM
    public static var movedFrom: WatchEvents { WatchEvents(rawValue: 0x40) }
    /// IN_MOVED_TO
    public static var movedTo: WatchEvents { WatchEvents(rawValue: 0x80) }
    /// IN_CREATE
    public static var created: WatchEvents { WatchEvents(rawValue: 0x100) }
    /// IN_DELETE
    public static var removed: WatchEvents { WatchEvents(rawValue: 0x200) }
    /// IN_DELETE_SELF
    public static var selfRemoved: WatchEvents { WatchEvents(rawValue: 0x400) }
    /// IN_MOVE_SELF
    public static var selfMoved: WatchEvents { WatchEvents(rawValue: 0x800) }
    /// IN_ALL_EVENTS
    public static var all: WatchEvents { WatchEvents(rawValue: 0xfff) }
    /// IN_UNMOUNT
    public static var unmounted: WatchEvents { WatchEvents(rawValue: 0x2000) }
    /// IN_Q_OVERFLOW
    public static var overflow: WatchEvents { WatchEvents(rawValue: 0x4000) }
    /// IN_IGNORED
    public static var ignored: WatchEvents { WatchEvents(rawValue: 0x8000) }
    /// IN_ISDIR
    public static var isDirectory: WatchEvents { WatchEvents(rawValue: 1 << 30) }

    // What inotify_add_watch(2) takes beside.

    /// IN_ONLYDIR
    public static var onlyDirectory: WatchEvents { WatchEvents(rawValue: 1 << 24) }
    /// IN_DONT_FOLLOW
    public static var noFollow: WatchEvents { WatchEvents(rawValue: 1 << 25) }
    /// IN_EXCL_UNLINK
    public static var notUnlinked: WatchEvents { WatchEvents(rawValue: 1 << 26) }
    /// IN_MASK_CREATE
    public static var mustBeNew: WatchEvents { WatchEvents(rawValue: 1 << 28) }
    /// IN_MASK_ADD
    public static var add: WatchEvents { WatchEvents(rawValue: 1 << 29) }
    /// IN_ONESHOT
    public static var once: WatchEvents { WatchEvents(rawValue: 1 << 31) }
    /// All bits that inotify_add_watch(2) knows.
    public static var known: WatchEvents { WatchEvents(rawValue: 0xf700_efff) }
}

/// One inotify instance's interest in one file. The instance owns it; it is in a list of the file's.
final class Watch {
    let number: Int32
    unowned(unsafe) let instance: WatchFile
    /// Kept while it is watched.
    let inode: Inode
    var events: WatchEvents
    private(set) var next: Unmanaged<Watch>?

    init(_ number: Int32, _ instance: WatchFile, _ inode: Inode, _ events: WatchEvents) {
        self.number = number
        self.instance = instance
        self.inode = inode
        self.events = events
        next = inode.firstWatch
        inode.firstWatch = Unmanaged.passUnretained(self)
        FileWatches.count += 1
    }

    /// Takes it out of the file's list.
    func leave() {
        FileWatches.count -= 1
        var cursor = inode.firstWatch
        guard cursor?.toOpaque() != Unmanaged.passUnretained(self).toOpaque() else {
            inode.firstWatch = next
            return
        }
        while let watch = cursor?.takeUnretainedValue() {
            if let after = watch.next, after.toOpaque() == Unmanaged.passUnretained(self).toOpaque()
            {
                watch.next = next
                return
            }
            cursor = watch.next
        }
    }
}

/// Telling those who watch files what becomes of them. Where nobody watches any file, telling is the test
/// of one number.
public enum FileWatches {
    /// Watches of all instances.
    nonisolated(unsafe) fileprivate(set) static var count = 0
    nonisolated(unsafe) private static var lastCookie: UInt32 = 0

    @inline(__always)
    static var isIdle: Bool { count == 0 }

    static func reset() { count = 0 }

    /// Tells of a file that was reached by a name: first who watches the directory, then who watches it.
    @inline(__always)
    static func tell(_ events: WatchEvents, _ dentry: Dentry?) {
        if !isIdle, let dentry { tellBoth(events, dentry) }
    }

    @inline(never)
    private static func tellBoth(_ events: WatchEvents, _ dentry: Dentry) {
        guard let inode = dentry.inode else { return }
        let events = inode.mode.isDirectory ? events.union(.isDirectory) : events
        if let directory = dentry.parent?.inode, directory.firstWatch != nil {
            send(events, to: directory, dentry.nameView, isUnlinked: dentry.isRemoved)
        }
        send(events, to: inode, nil)
    }

    /// Tells of bytes that went from one file to another.
    static func tellMoved(_ count: Int, from source: OpenFile, to target: OpenFile) {
        guard !isIdle, count > 0 else { return }
        tell(.read, source.dentry)
        tell(.written, target.dentry)
    }

    /// Tells of what only concerns the file itself.
    static func tellSelf(_ events: WatchEvents, _ inode: Inode) {
        if !isIdle { send(events, to: inode, nil) }
    }

    /// Tells of a name that came or went.
    @inline(__always)
    static func tellName(_ events: WatchEvents, _ name: Name, of inode: Inode, in directory: Inode)
    {
        if !isIdle { sendName(events, name, inode, directory) }
    }

    @inline(never)
    private static func sendName(
        _ events: WatchEvents,
        _ name: Name,
        _ inode: Inode,
        _ directory: Inode,
        cookie: UInt32 = 0
    ) {
        let events = inode.mode.isDirectory ? events.union(.isDirectory) : events
        send(events, to: directory, name, cookie: cookie)
    }

    /// Tells of a name that moved, which had another before.
    static func tellMoved(
        _ dentry: Dentry,
        from oldDirectory: Inode,
        _ oldName: Name,
        to directory: Inode
    ) {
        guard !isIdle, let inode = dentry.inode else { return }
        lastCookie &+= 1
        if lastCookie == 0 { lastCookie = 1 }
        sendName(.movedFrom, oldName, inode, oldDirectory, cookie: lastCookie)
        sendName(.movedTo, dentry.nameView, inode, directory, cookie: lastCookie)
    }

    /// Tells that a file has no name any more, which ends its watches.
    static func tellGone(_ inode: Inode, _ events: WatchEvents = .selfRemoved) {
        guard inode.firstWatch != nil else { return }
        send(events, to: inode, nil)
        while let watch = inode.firstWatch?.takeUnretainedValue() { watch.instance.remove(watch) }
    }

    /// Ends all watches of a file system that is not mounted any more.
    static func endAll(of filesystem: Filesystem) {
        ProcessTable.forEach { process in
            guard let table = process.descriptors else { return }
            var next = 0
            while let descriptor = table.next(from: next) {
                next = descriptor + 1
                let file = table.find(FileDescriptor(Int32(descriptor)))?.takeUnretainedValue()
                if let watches = file as? WatchFile { watches.end(of: filesystem) }
            }
        }
    }

    private static func send(
        _ events: WatchEvents,
        to inode: Inode,
        _ name: Name?,
        cookie: UInt32 = 0,
        isUnlinked: Bool = false
    ) {
        var cursor = inode.firstWatch
        while let watch = cursor?.takeUnretainedValue() {
            cursor = watch.next
            let isWanted = !watch.events.isDisjoint(with: events.intersection(.all))
            guard isWanted || events.contains(.unmounted) else { continue }
            if isUnlinked, watch.events.contains(.notUnlinked) { continue }
            watch.instance.deliver(events, watch, name, cookie: cookie)
        }
    }
}
