import LinuxABI

/// The ring of bytes between the ends of a pipe or FIFO: pipe(7).
final class Pipe {
    /// What is written as one piece, or not at all.
    static let atomicSize = 4096
    static let defaultCapacity = 65_536
    /// fs.pipe-max-size, which binds all but root.
    nonisolated(unsafe) static var largestCapacity = 1 << 20

    private var ring: UnsafeMutablePointer<UInt8>
    /// A power of two.
    private(set) var capacity: Int
    private var start = 0
    private(set) var count = 0
    /// Lengths of what was written in packet mode (O_DIRECT), oldest first.
    private var packets: [Int] = []
    let inode: UInt64
    private(set) var readers = 0
    private(set) var writers = 0
    /// How often each kind of end was opened: open(2) of a FIFO waits for a change.
    private(set) var readerOpens = 0
    private(set) var writerOpens = 0
    let queue = WaitQueue()

    nonisolated(unsafe) private static var lastInode: UInt64 = 0

    init() throws(Errno) {
        capacity = Pipe.defaultCapacity
        ring = try KernelBuffer.allocate(capacity).assumingMemoryBound(to: UInt8.self)
        Pipe.lastInode += 1
        inode = Pipe.lastInode
    }

    deinit { KernelBuffer.free(ring) }

    // MARK: Ends

    func opened(_ flags: OpenFlags) {
        if flags.isReadable {
            readers += 1
            readerOpens += 1
        }
        if flags.isWritable {
            writers += 1
            writerOpens += 1
        }
        queue.wake()
    }

    func closed(_ flags: OpenFlags) {
        if flags.isReadable { readers -= 1 }
        if flags.isWritable { writers -= 1 }
        if readers == 0, writers == 0 {
            count = 0
            packets = []
        }
        queue.wake()
    }

    // MARK: Bytes

    @inline(__always)
    func read(_ transfer: inout Transfer) throws(Errno) -> Int {
        guard count > 0 else {
            guard writers > 0, transfer.remaining > 0 else { return 0 }
            throw .wouldBlock
        }
        guard packets.isEmpty else { return try readPacket(&transfer) }
        let done = try takeOut(&transfer, min(count, transfer.remaining))
        queue.wake(.allWritable)
        return done
    }

    @inline(__always)
    private func takeOut(_ transfer: inout Transfer, _ wanted: Int) throws(Errno) -> Int {
        let first = min(wanted, capacity &- start)
        var done = try transfer.give(ring + start, first)
        if done == first, done < wanted { done += try transfer.give(ring, wanted - done) }
        drop(done)
        return done
    }

    @inline(__always)
    private func drop(_ bytes: Int) {
        start = (start &+ bytes) & (capacity &- 1)
        count &-= bytes
        if count == 0 { start = 0 }
    }

    /// Reads of one packet; what does not fit is lost.
    private func readPacket(_ transfer: inout Transfer) throws(Errno) -> Int {
        let length = packets.removeFirst()
        let wanted = min(length, transfer.remaining)
        let before = count
        let done = try takeOut(&transfer, wanted)
        drop(length - (before - count))
        queue.wake(.allWritable)
        return done
    }

    @inline(__always)
    func write(_ transfer: inout Transfer, isPacket: Bool) throws(Errno) -> Int {
        guard readers > 0 else {
            Signals.raiseBrokenPipe()
            throw .brokenPipe
        }
        let wanted = transfer.remaining
        guard wanted > 0 else { return 0 }
        let room = capacity &- count
        if isPacket || !packets.isEmpty { return try writePackets(&transfer) }
        guard room > 0, wanted <= room || wanted > Pipe.atomicSize else { throw .wouldBlock }
        let done = try putIn(&transfer, min(wanted, room))
        queue.wake(.allReadable)
        return done
    }

    @inline(__always)
    private func putIn(_ transfer: inout Transfer, _ wanted: Int) throws(Errno) -> Int {
        let end = (start &+ count) & (capacity &- 1)
        let first = min(wanted, capacity &- end)
        var done = try transfer.take(ring + end, first)
        if done == first, done < wanted { done += try transfer.take(ring, wanted - done) }
        count &+= done
        return done
    }

    /// Writes a packet, or as many of a page as there is room for.
    private func writePackets(_ transfer: inout Transfer) throws(Errno) -> Int {
        // Bytes that were written before packet mode are a packet of their own.
        if packets.isEmpty, count > 0 { packets.append(count) }
        var done = 0
        while transfer.remaining > 0 {
            let wanted = min(transfer.remaining, Pipe.atomicSize)
            // As Linux: a packet takes a page's slot.
            guard wanted <= capacity - count, packets.count < capacity / Pipe.atomicSize else {
                guard done > 0 else { throw .wouldBlock }
                break
            }
            let part: Int
            do throws(Errno) { part = try putIn(&transfer, wanted) } catch {
                guard done > 0 else { throw error }
                break
            }
            packets.append(part)
            done += part
            guard part == wanted else { break }
        }
        queue.wake(.allReadable)
        return done
    }

    /// `knownWriters` of the writers that there were at any time are none of the reader's.
    func readiness(_ flags: OpenFlags, knownWriters: Int) -> PollEvents {
        var events: PollEvents = []
        if flags.isReadable {
            if count > 0 { events.formUnion(.allReadable) }
            if writers == 0, writerOpens > knownWriters { events.insert(.hangUp) }
        }
        if flags.isWritable {
            if hasRoom { events.formUnion(.allWritable) }
            if readers == 0 { events.insert(.error) }
        }
        return events
    }

    /// Whether a writer may write: a page, as Linux counts.
    var hasRoom: Bool {
        capacity - count >= Pipe.atomicSize && packets.count < capacity / Pipe.atomicSize
    }

    /// Lends the first bytes that lie in one piece, `wanted` of them at most and of one packet, and takes
    /// out as many as `body` says, unless it `keeps` them; then bytes before may be skipped.
    func withFront(
        _ wanted: Int,
        skipping skipped: Int = 0,
        keeps: Bool = false,
        _ body: (UnsafeRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let first = (start + skipped) & (capacity - 1)
        var length = min(wanted, count - skipped, capacity - first)
        if let packet = packets.first, !keeps { length = min(length, packet) }
        guard length > 0 else { return 0 }
        let done = try body(UnsafeRawBufferPointer(start: ring + first, count: length))
        guard !keeps, done > 0 else { return done }
        drop(done)
        if let packet = packets.first {
            if packet == done { packets.removeFirst() } else { packets[0] = packet - done }
        }
        queue.wake(.allWritable)
        return done
    }

    /// Lends room in one piece, `wanted` bytes at most, of which `body` says how many it filled.
    func withRoom(
        _ wanted: Int,
        _ body: (UnsafeMutableRawBufferPointer) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        let end = (start + count) & (capacity - 1)
        let length = min(wanted, capacity - count, capacity - end)
        guard length > 0 else { return 0 }
        let done = try body(UnsafeMutableRawBufferPointer(start: ring + end, count: length))
        guard done > 0 else { return 0 }
        count += done
        if !packets.isEmpty { packets.append(done) }
        queue.wake(.allReadable)
        return done
    }

    /// The size that a pipe gets which is to hold so much.
    static func roundedSize(_ wanted: Int) -> Int {
        var size = atomicSize
        while size < wanted { size *= 2 }
        return size
    }

    /// As fcntl(F_SETPIPE_SZ): the size it has then.
    func resize(_ wanted: Int) throws(Errno) -> Int {
        guard wanted >= 0, wanted <= 1 << 31 else { throw .invalidArgument }
        let size = Pipe.roundedSize(wanted)
        guard size <= Pipe.largestCapacity || size <= capacity || Actor.current.isRoot else {
            throw .notPermitted
        }
        guard size >= count else { throw .busy }
        let new = try KernelBuffer.allocate(size).assumingMemoryBound(to: UInt8.self)
        let first = min(count, capacity - start)
        new.update(from: ring + start, count: first)
        (new + first).update(from: ring, count: count - first)
        KernelBuffer.free(ring)
        ring = new
        capacity = size
        start = 0
        queue.wake(.allWritable)
        return size
    }
}

/// One end of a pipe, or both ends of a FIFO opened for reading and writing.
final class PipeFile: OpenFile {
    let pipe: Pipe
    /// What open(2) of a FIFO waits for, and the counts when it began.
    private var awaitedOpens: (readers: Int, writers: Int)?
    /// Writers that had gone when a FIFO was opened for reading.
    fileprivate var knownWriters = 0

    init(_ pipe: Pipe, _ flags: OpenFlags, dentry: Dentry? = nil) {
        self.pipe = pipe
        super.init(flags: flags, traits: .writesAll, dentry: dentry)
        pipe.opened(flags)
    }

    deinit {
        stopTelling()
        pipe.closed(flags)
        // As new when it is opened again.
        if pipe.readers == 0, pipe.writers == 0 { dentry?.inode?.pipe = nil }
    }

    override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(pipe.queue) }

    override func readiness() -> PollEvents { pipe.readiness(flags, knownWriters: knownWriters) }

    override var tellsNews: Bool { true }

    override func newsCode(_ events: PollEvents) -> Int32 {
        // That an end was closed is news when it was the last one on its side.
        if events == .all, (pipe.readers == 0) == (pipe.writers == 0) { return 0 }
        if flags.isReadable, events.contains(.readable) { return FileOwner.canRead }
        return flags.isWritable && events.contains(.writable) ? FileOwner.canWrite : 0
    }

    @_optimize(speed)
    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        try pipe.read(&transfer)
    }

    @_optimize(speed)
    override func write(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        try pipe.write(&transfer, isPacket: flags.contains(.direct))
    }

    override func control(_ request: UInt32, _ argument: UInt) throws(Errno) -> Int {
        guard request == ControlRequest.readableBytes else { throw .notTerminal }
        try UserPointer<Int32>(argument).store(Int32(pipe.count))
        return 0
    }

    override func fill(_ status: inout FileStatus) throws(Errno) {
        if let inode { return try inode.fill(&status) }
        status.device = AnonymousFiles.pipeDevice
        status.inode = pipe.inode
        status.mode = FileMode(.pipe, permissions: 0o600).rawValue
    }

    override func describe(into text: inout TextBuffer) {
        text.append("pipe:[")
        text.append(pipe.inode)
        text.append("]")
    }

    /// Makes `finishOpening` wait for the other end.
    func awaitOtherEnd() { awaitedOpens = (pipe.readerOpens, pipe.writerOpens) }

    override func finishOpening() throws(Errno) {
        guard let counts = awaitedOpens else { return }
        awaitedOpens = nil
        if flags.isReadable {
            while pipe.writers == 0, pipe.writerOpens == counts.writers { try pipe.queue.wait() }
        } else {
            while pipe.readers == 0, pipe.readerOpens == counts.readers { try pipe.queue.wait() }
        }
    }
}

extension Pipe {
    /// As pipe2(2): the end to read and the end to write.
    static func make(_ flags: OpenFlags) throws(Errno) -> (OpenFile, OpenFile) {
        let pipe = try Pipe()
        let status = flags.intersection([.nonBlocking, .direct])
        return (PipeFile(pipe, status), PipeFile(pipe, status.union(.writeOnly)))
    }

    /// Opens a FIFO: fifo(7). The caller waits with `finishOpening` for the other end.
    static func open(_ inode: Inode, _ dentry: Dentry, _ flags: OpenFlags) throws(Errno) -> OpenFile
    {
        if inode.pipe == nil { inode.pipe = try Pipe() }
        let pipe = inode.pipe!
        let isNonBlocking = flags.contains(.nonBlocking)
        if !flags.isReadable, isNonBlocking, pipe.readers == 0 { throw .noSuchDeviceOrAddress }
        let file = PipeFile(pipe, flags, dentry: dentry)
        if pipe.writers == 0 { file.knownWriters = pipe.writerOpens }
        if !(flags.isReadable && flags.isWritable), !isNonBlocking { file.awaitOtherEnd() }
        return file
    }
}

extension DescriptorTable {
    /// As pipe2(2).
    public func makePipe(_ flags: OpenFlags) throws(Errno) -> (FileDescriptor, FileDescriptor) {
        guard flags.isSubset(of: [.closeOnExec, .nonBlocking, .direct]) else {
            throw .invalidArgument
        }
        let (reading, writing) = try Pipe.make(flags)
        let closes = flags.contains(.closeOnExec)
        let first = try insert(reading, closesOnExec: closes)
        do throws(Errno) {
            return (first, try insert(writing, closesOnExec: closes))
        } catch {
            try? close(first)
            throw error
        }
    }

    /// As fcntl(F_GETPIPE_SZ), and with a size fcntl(F_SETPIPE_SZ).
    public func pipeSize(_ descriptor: FileDescriptor, setting size: Int? = nil)
        throws(Errno) -> Int
    {
        guard let file = try file(descriptor) as? PipeFile else { throw .badDescriptor }
        guard let size else { return file.pipe.capacity }
        return try file.pipe.resize(size)
    }
}
