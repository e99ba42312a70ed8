import LinuxABI
import Platform

/// A ring of io_uring(7), as far as files and waiting concern it; the module `Ring` does the rest.
open class RingObject {
    /// Woken when there are completions.
    public final let queue = WaitQueue()

    public init() {}

    open func readiness() -> PollEvents { [] }

    /// The pages behind an offset of mmap(2). Throws `noMemory` where there never are any.
    open func pages(at offset: UInt64) throws(Errno) -> MappedPages { .beyondEnd }

    /// The open file is gone.
    open func close() {}
}

/// The open file of a ring.
public final class RingFile: AnonymousFile, Mappable {
    public let ring: RingObject
    public var mappedRegions = 0

    public init(_ ring: RingObject) {
        self.ring = ring
        super.init(flags: .readWrite)
    }

    deinit { ring.close() }

    public override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(ring.queue) }

    public override func readiness() -> PollEvents { ring.readiness() }

    public override func describe(into text: inout TextBuffer) {
        text.append("anon_inode:[io_uring]")
    }

    public override var mappable: (any Mappable)? { self }

    public var mappableSize: UInt64 { 1 << 32 }

    public var mappedIdentity: (device: UInt64, inode: UInt64) {
        (AnonymousFiles.device, AnonymousFiles.inode)
    }

    public func mappedPages(at offset: UInt64, limit: Int, allocating: Bool) throws(Errno)
        -> MappedPages
    {
        try ring.pages(at: offset)
    }
}

/// What a thread has still to do for requests that it submitted.
open class DeferredWork {
    public init() {}
    /// Runs in the thread. It must not wait.
    open func run() {}
    /// The thread ends, or begins another program.
    open func cancel() {}
}

extension Thread {
    /// Has the thread run what is deferred: on its way to the program, or in the middle of its wait,
    /// which goes on afterwards.
    public func runSoon() {
        hasDeferredWork = true
        if self === Thread.current { cpu_set_pending(UInt32(CPU_PENDING_SIGNAL)) }
        Scheduler.wake(self, because: .work)
    }

    public func runDeferred() {
        hasDeferredWork = false
        deferredWork?.run()
    }

    func cancelDeferred() {
        guard let work = deferredWork else { return }
        deferredWork = nil
        work.cancel()
        hasDeferredWork = false
    }
}

/// Attempts that never wait, whatever the flags of the file.
extension OpenFile {
    /// Calls `body` as if the file had O_NONBLOCK.
    public final func withoutWaiting<Result>(_ body: () throws(Errno) -> Result)
        throws(Errno) -> Result
    {
        let flags = flags
        self.flags.insert(.nonBlocking)
        defer { self.flags = flags }
        return try body()
    }

    /// Reads what is there at a position, or at the file's own.
    public final func attemptRead(_ transfer: inout Transfer, at position: Int?)
        throws(Errno) -> Int
    {
        guard traits.contains(.readable) else { throw .badDescriptor }
        let count = try attempt(transfer.remaining, position) { (place) throws(Errno) in
            place == nil
                ? try read(&transfer, at: &self.position)
                : try readPositioned(&transfer, at: &place!)
        }
        if !FileWatches.isIdle, count > 0 { FileWatches.tell(.read, dentry) }
        return count
    }

    /// Writes what there is room for at a position, or at the file's own.
    public final func attemptWrite(_ transfer: inout Transfer, at position: Int?)
        throws(Errno) -> Int
    {
        guard traits.contains(.writable) else { throw .badDescriptor }
        let count = try attempt(transfer.remaining, position) { (place) throws(Errno) in
            place == nil
                ? try write(&transfer, at: &self.position)
                : try writePositioned(&transfer, at: &place!)
        }
        if !FileWatches.isIdle, count > 0 { FileWatches.tell(.written, dentry) }
        return count
    }

    private func attempt(
        _ count: Int,
        _ position: Int?,
        _ body: (inout Int?) throws(Errno) -> Int
    ) throws(Errno) -> Int {
        var place = traits.contains(.seekable) ? position : nil
        if let place { guard place >= 0, count <= Int.max - place else { throw .invalidArgument } }
        let flags = flags
        self.flags.insert(.nonBlocking)
        defer { self.flags = flags }
        return try body(&place)
    }

    /// Whether it is an eventfd(2).
    public final var isEvent: Bool { self is EventFile }

    /// Adds one to an eventfd(2).
    public final func signalEvent() { (self as? EventFile)?.signal() }
}

extension AddressSpace {
    /// Whether the program's mappings cover a range of its memory.
    public func isMapped(_ range: UserBuffer) -> Bool {
        let start = UInt64(range.address)
        let (end, overflow) = start.addingReportingOverflow(UInt64(range.count))
        return !overflow && isCovered(start, end)
    }
}
