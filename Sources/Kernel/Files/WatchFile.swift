import LinuxABI
import Platform

/// An inotify instance: its watches, and the events that were not read yet: inotify(7).
final class WatchFile: AnonymousFile {
    /// Limits, which /proc/sys/fs/inotify shows and sets.
    nonisolated(unsafe) static var largestQueue = 16_384
    nonisolated(unsafe) static var mostInstances = 128
    nonisolated(unsafe) static var mostWatches = 65_536
    nonisolated(unsafe) private static var instances = 0

    /// An event that waits; its name follows it.
    private struct Notice {
        var next: UnsafeMutablePointer<Notice>?
        var watch: Int32
        var events: WatchEvents
        var cookie: UInt32
        var nameCount: Int

        /// Bytes of `struct inotify_event` without the name.
        static let headSize = 16

        /// Bytes as they are read: the name ends with a NUL, and the next event begins at a multiple.
        var size: Int {
            Notice.headSize + (nameCount == 0 ? 0 : (nameCount + Notice.headSize) & ~15)
        }
    }

    private var watches = PointerTable()
    private var lastNumber: Int32 = 0
    private var first: UnsafeMutablePointer<Notice>?
    private var last: UnsafeMutablePointer<Notice>?
    private var noticeCount = 0
    /// Bytes that could be read.
    private var size = 0
    private let queue = WaitQueue()

    private init(_ flags: OpenFlags) {
        WatchFile.instances += 1
        super.init(flags: flags.intersection(.nonBlocking))
    }

    /// Throws `tooManyOpenFiles` when there are too many instances.
    static func make(_ flags: OpenFlags) throws(Errno) -> WatchFile {
        guard instances < mostInstances else { throw .tooManyOpenFiles }
        return WatchFile(flags)
    }

    deinit {
        WatchFile.instances -= 1
        watches.forEach { pointer in
            let watch = Unmanaged<Watch>.fromOpaque(pointer)
            watch.takeUnretainedValue().leave()
            watch.release()
        }
        while first != nil { dropFirst() }
    }

    // MARK: Watches

    /// As inotify_add_watch(2), once the file is found. Throws `fileExists`, `noSpace`, `noMemory`.
    func add(_ inode: Inode, _ mask: WatchEvents) throws(Errno) -> Int32 {
        let events = mask.intersection([.all, .once, .notUnlinked])
        if let watch = inode.watch(of: self) {
            guard !mask.contains(.mustBeNew) else { throw .fileExists }
            watch.events = mask.contains(.add) ? watch.events.union(events) : events
            return watch.number
        }
        guard FileWatches.count < WatchFile.mostWatches else { throw .noSpace }
        repeat {
            lastNumber = lastNumber == .max ? 1 : lastNumber + 1
        } while watches[UInt64(lastNumber), 0] != nil
        let watch = Watch(lastNumber, self, inode, events)
        let pointer = Unmanaged.passRetained(watch)
        do throws(Errno) { try watches.insert(UInt64(lastNumber), 0, pointer.toOpaque()) } catch {
            watch.leave()
            pointer.release()
            throw error
        }
        return lastNumber
    }

    /// As inotify_rm_watch(2). Throws `invalidArgument`.
    func remove(_ number: Int32) throws(Errno) {
        guard number > 0, let pointer = watches[UInt64(number), 0] else { throw .invalidArgument }
        remove(Unmanaged<Watch>.fromOpaque(pointer).takeUnretainedValue())
    }

    /// Ends a watch and tells so.
    func remove(_ watch: Watch) {
        watch.leave()
        watches.remove(UInt64(watch.number), 0)
        append(watch.number, .ignored, nil, 0)
        Unmanaged.passUnretained(watch).release()
    }

    /// Ends the watches of a file system that is not mounted any more, and tells so.
    func end(of filesystem: Filesystem) {
        var numbers: [UInt64] = []
        watches.forEach { pointer in
            let watch = Unmanaged<Watch>.fromOpaque(pointer).takeUnretainedValue()
            if watch.inode.filesystem === filesystem { numbers.append(UInt64(watch.number)) }
        }
        for number in numbers {
            guard let pointer = watches[number, 0] else { continue }
            let watch = Unmanaged<Watch>.fromOpaque(pointer).takeUnretainedValue()
            append(watch.number, .unmounted, nil, 0)
            remove(watch)
        }
    }

    // MARK: Events

    /// Takes an event of a watch.
    func deliver(_ events: WatchEvents, _ watch: Watch, _ name: Name?, cookie: UInt32) {
        var events = events
        // As ever: what concerns a directory itself does not say that it is one.
        if !events.isDisjoint(with: [.selfRemoved, .selfMoved]) { events.remove(.isDirectory) }
        append(watch.number, events, name, cookie)
        if watch.events.contains(.once) { remove(watch) }
    }

    private func append(_ number: Int32, _ events: WatchEvents, _ name: Name?, _ cookie: UInt32) {
        if repeatsLast(number, events, name) { return }
        if noticeCount >= WatchFile.largestQueue {
            guard noticeCount == WatchFile.largestQueue else { return }
            return put(-1, .overflow, nil, 0)
        }
        put(number, events, name, cookie)
    }

    /// Equal events that follow each other are one.
    private func repeatsLast(_ number: Int32, _ events: WatchEvents, _ name: Name?) -> Bool {
        guard let last, last.pointee.watch == number, last.pointee.events == events,
            events != .ignored, last.pointee.nameCount == name?.count ?? 0
        else { return false }
        guard let name else { return true }
        let old = UnsafeRawPointer(last + 1).assumingMemoryBound(to: UInt8.self)
        return name.equals(old, last.pointee.nameCount)
    }

    private func put(_ number: Int32, _ events: WatchEvents, _ name: Name?, _ cookie: UInt32) {
        let nameCount = name?.count ?? 0
        // Without memory it is lost; a reader that cares looks again now and then.
        guard
            let memory = try? KernelBuffer.allocate(MemoryLayout<Notice>.size + nameCount + 8)
        else { return }
        let notice = memory.assumingMemoryBound(to: Notice.self)
        notice.initialize(
            to: Notice(
                next: nil,
                watch: number,
                events: events,
                cookie: cookie,
                nameCount: nameCount
            )
        )
        if let name {
            UnsafeMutableRawPointer(notice + 1).copyMemory(from: name.bytes, byteCount: nameCount)
        }
        if let last { last.pointee.next = notice } else { first = notice }
        last = notice
        noticeCount += 1
        size += notice.pointee.size
        queue.wake(.allReadable)
    }

    private func dropFirst() {
        guard let notice = first else { return }
        noticeCount -= 1
        size -= notice.pointee.size
        first = notice.pointee.next
        if first == nil { last = nil }
        KernelBuffer.free(notice)
    }

    // MARK: Reading

    override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(queue) }

    override func readiness() -> PollEvents { first != nil ? .allReadable : [] }

    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        guard first != nil else { throw .wouldBlock }
        var done = 0
        while let notice = first {
            let size = notice.pointee.size
            guard size <= transfer.remaining else {
                guard done > 0 else { throw .invalidArgument }
                break
            }
            do throws(Errno) { try WatchFile.give(notice, &transfer) } catch {
                guard done > 0 else { throw error }
                break
            }
            done += size
            dropFirst()
        }
        return done
    }

    private static func give(_ notice: UnsafeMutablePointer<Notice>, _ transfer: inout Transfer)
        throws(Errno)
    {
        // A head and the longest name.
        var record = InlineArray<36, UInt64>(repeating: 0)
        let size = notice.pointee.size
        try withUnsafeMutableBytes(of: &record) { (bytes) throws(Errno) in
            bytes.storeBytes(of: notice.pointee.watch, as: Int32.self)
            bytes.storeBytes(of: notice.pointee.events.rawValue, toByteOffset: 4, as: UInt32.self)
            bytes.storeBytes(of: notice.pointee.cookie, toByteOffset: 8, as: UInt32.self)
            let nameSize = UInt32(size - Notice.headSize)
            bytes.storeBytes(of: nameSize, toByteOffset: 12, as: UInt32.self)
            (bytes.baseAddress! + Notice.headSize).copyMemory(
                from: notice + 1,
                byteCount: notice.pointee.nameCount
            )
            guard try transfer.give(bytes.baseAddress!, size) == size else { throw .badAddress }
        }
    }

    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        guard request == ControlRequest.readableBytes else { throw .notTerminal }
        try UserPointer<Int32>(argument).store(Int32(clamping: size))
        return 0
    }

    override func describe(into text: inout TextBuffer) { text.append("anon_inode:inotify") }

    override func appendInformation(to text: inout TextBuffer) {
        var lines = TextBuffer()
        watches.forEach { pointer in
            let watch = Unmanaged<Watch>.fromOpaque(pointer).takeUnretainedValue()
            lines.append("inotify wd:")
            lines.append(hexadecimal: UInt64(watch.number))
            lines.append(" ino:")
            lines.append(hexadecimal: watch.inode.number)
            lines.append(" sdev:")
            lines.append(hexadecimal: watch.inode.filesystem.device)
            lines.append(" mask:")
            lines.append(hexadecimal: UInt64(watch.events.intersection(.all).rawValue))
            lines.append(" ignored_mask:0 \n")
        }
        text.append(lines.bytes)
    }
}

extension Inode {
    fileprivate final func watch(of instance: WatchFile) -> Watch? {
        var cursor = firstWatch
        while let watch = cursor?.takeUnretainedValue() {
            if watch.instance === instance { return watch }
            cursor = watch.next
        }
        return nil
    }
}

extension DescriptorTable {
    /// As inotify_init1(2).
    public func makeWatchFile(_ flags: OpenFlags) throws(Errno) -> FileDescriptor {
        guard flags.isSubset(of: [.nonBlocking, .closeOnExec]) else { throw .invalidArgument }
        return try insert(try WatchFile.make(flags), closesOnExec: flags.contains(.closeOnExec))
    }

    private func watchFile(_ descriptor: FileDescriptor) throws(Errno) -> WatchFile {
        let file = try file(descriptor)
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        guard let file = file as? WatchFile else { throw .invalidArgument }
        return file
    }

    /// Whether inotify_add_watch(2) may go on to the path. Throws `invalidArgument`, `badDescriptor`.
    public func checkWatch(_ descriptor: FileDescriptor, _ mask: WatchEvents) throws(Errno) {
        guard mask.isSubset(of: .known), !mask.isEmpty else { throw .invalidArgument }
        _ = try file(descriptor)
        guard !mask.isSuperset(of: [.add, .mustBeNew]) else { throw .invalidArgument }
        _ = try watchFile(descriptor)
    }

    /// As inotify_add_watch(2).
    public func addWatch(
        _ descriptor: FileDescriptor,
        _ place: VFS.Place,
        _ mask: WatchEvents,
        _ process: Process
    ) throws(Errno) -> Int32 {
        let instance = try watchFile(descriptor)
        let dentry = try VFS.resolve(place, process, follow: !mask.contains(.noFollow))
        guard let inode = dentry.inode else { throw .noSuchFileOrDirectory }
        if mask.contains(.onlyDirectory), !inode.mode.isDirectory { throw .notDirectory }
        try Actor(process).require(.read, inode)
        return try instance.add(inode, mask)
    }

    /// As inotify_rm_watch(2).
    public func removeWatch(_ descriptor: FileDescriptor, _ number: Int32) throws(Errno) {
        try watchFile(descriptor).remove(number)
    }
}
