import Kernel
import LinuxABI

/// What the handlers of system calls lend: set once, at the start.
public enum RingCalls {
    /// Runs a call that does not wait.
    nonisolated(unsafe) static var run: (Int, UInt, UInt, UInt, UInt, UInt) -> Int = {
        (_, _, _, _, _, _) in -38
    }
    /// Sends or receives what the message header at an address says.
    nonisolated(unsafe) static var moveMessage: (SocketFile, UInt, MessageFlags, Bool) -> Int = {
        (_, _, _, _) in -38
    }
}

/// A ring of io_uring(7): requests that a program submits and completions that it takes.
///
/// There are no worker threads. A request runs when it is submitted; where it would wait it stands in
/// the queue of its file, and the thread that submitted it goes on with it (`RingTask`).
final class Ring: RingObject {
    let memory: RingMemory
    let setup: SetupFlags
    /// The only thread that may submit, where there is but one.
    var issuer: Thread?
    var isDisabled: Bool
    private(set) var isClosed = false

    private var taken: UInt32 = 0
    /// Positions of completions, as the program sees them.
    private var posted: UInt32 = 0
    /// Completions that there was no room for.
    private var overflow: [CompletionEntry] = []
    private var overflowStart = 0
    /// Completions that were not timeouts, for those that count them; and timeouts, which end waits.
    private(set) var counted: UInt64 = 0
    var timeouts = 0
    /// Timeouts that wait for a number of completions.
    var counting = 0
    private var hasNews = false
    var event: OpenFile?

    /// Requests that wait, oldest first.
    private(set) unowned(unsafe) var firstWaiting: Request?
    private unowned(unsafe) var lastWaiting: Request?
    /// Requests that there are, and how many of them wait for all earlier ones.
    var active = 0
    var deferred: [Request] = []
    var deferredCount = 0
    var drainsNext = false
    var drainIsRefused = false

    var buffers: [UserBuffer] = []
    var files: [OpenFile?] = []
    /// Where a free place is looked for first: where one became free, or behind the last that was taken.
    var nextPlace = 0

    init(_ memory: RingMemory, _ setup: SetupFlags) {
        self.memory = memory
        self.setup = setup
        isDisabled = setup.contains(.disabled)
        if setup.contains(.singleIssuer), !isDisabled { issuer = Thread.current }
    }

    override func pages(at offset: UInt64) throws(Errno) -> MappedPages {
        try memory.pages(at: offset)
    }

    override func readiness() -> PollEvents {
        var events: PollEvents = []
        if available > 0 || hasOverflow { events.formUnion(.allReadable) }
        if memory[.submissionTail] &- taken != memory.submissions { events.formUnion(.allWritable) }
        return events
    }

    override func close() {
        isClosed = true
        drop(nil)
        event = nil
        files = []
    }

    // MARK: Completions

    /// Completions that the program has not taken.
    var available: UInt32 { posted &- memory[.completionHead] }
    private var hasOverflow: Bool { overflowStart < overflow.count }

    private func put(_ entry: CompletionEntry) -> Bool {
        guard available < memory.completions else { return false }
        memory.store(entry, at: posted)
        posted &+= 1
        memory[.completionTail] = posted
        return true
    }

    /// Tells the program of a request that goes on; false when there is no room.
    func postMore(_ request: Request, _ result: Int32) -> Bool {
        guard !hasOverflow else { return false }
        let entry = CompletionEntry(
            userData: request.entry.userData,
            result: result,
            flags: CompletionEntry.more
        )
        guard put(entry) else { return false }
        note(request)
        return true
    }

    func post(_ request: Request, _ result: Int32, flags: UInt32) {
        let entry = CompletionEntry(
            userData: request.entry.userData,
            result: result,
            flags: flags
        )
        note(request)
        guard hasOverflow || !put(entry) else { return }
        // A completion is lost only when there is no memory.
        guard FrameAllocator.freeFrames > 1024 else {
            memory[.lost] &+= 1
            return
        }
        overflow.append(entry)
        memory[.submissionFlags] |= Ring.overflowFlag
    }

    private func note(_ request: Request) {
        hasNews = true
        if request.operation == .timeout { timeouts += 1 } else { counted += 1 }
    }

    /// IORING_SQ_CQ_OVERFLOW
    private static let overflowFlag: UInt32 = 2

    /// Moves completions that there was no room for to the program.
    func flushOverflow() {
        guard hasOverflow else { return }
        while hasOverflow, put(overflow[overflowStart]) { overflowStart += 1 }
        hasNews = true
        guard !hasOverflow else { return }
        overflow = []
        overflowStart = 0
        memory[.submissionFlags] &= ~Ring.overflowFlag
    }

    /// Tells those who wait of new completions.
    func commit() {
        while hasNews {
            hasNews = false
            endCountingTimeouts()
            queue.wake(.allReadable)
            // IORING_CQ_EVENTFD_DISABLED
            if memory[.completionFlags] & 1 == 0 { event?.signalEvent() }
        }
    }

    private func endCountingTimeouts() {
        guard counting > 0 else { return }
        forEachWaiting { request in
            guard let target = request.target, counted >= target, request.outcome == nil else {
                return
            }
            request.outcome = 0
            request.task.add(request)
        }
    }

    // MARK: Requests that wait

    func list(_ request: Request) {
        guard !request.isListed else { return }
        request.isListed = true
        _ = Unmanaged.passRetained(request)
        request.next = nil
        request.previous = lastWaiting
        if let lastWaiting { lastWaiting.next = request } else { firstWaiting = request }
        lastWaiting = request
    }

    func unlist(_ request: Request) {
        guard request.isListed else { return }
        request.isListed = false
        if let previous = request.previous {
            previous.next = request.next
        } else {
            firstWaiting = request.next
        }
        if let next = request.next {
            next.previous = request.previous
        } else {
            lastWaiting = request.previous
        }
        Unmanaged.passUnretained(request).release()
    }

    func forEachWaiting(_ body: (Request) -> Void) {
        var cursor = firstWaiting
        while let request = cursor {
            cursor = request.next
            body(request)
        }
    }

    /// Has the requests of a thread that ends complete with ECANCELED.
    func cancelAll(of task: RingTask) {
        forEachWaiting { request in
            guard request.task === task, request.operation != .linkTimeout else { return }
            cancel(request)
        }
    }

    /// Forgets the requests of a thread that ends, or all.
    func drop(_ task: RingTask?) {
        forEachWaiting { request in
            guard task == nil || request.task === task else { return }
            request.stopWaiting()
            active -= 1 + request.cutLinks()
            request.target = nil
            unlist(request)
        }
        deferred.removeAll { request in
            guard task == nil || request.task === task else { return false }
            let count = 1 + request.cutLinks()
            active -= count
            deferredCount -= count
            return true
        }
    }

    // MARK: Submissions

    /// The next entry of the program's; nil when it is none.
    private func takeEntry() -> SubmissionEntry? {
        var index = taken & (memory.submissions - 1)
        if !setup.contains(.noArray) { index = memory.index(at: taken) }
        taken &+= 1
        guard index < memory.submissions else {
            memory[.dropped] &+= 1
            return nil
        }
        return memory.submission(index)
    }

    /// Takes up to `count` entries; how many were taken.
    func submit(_ count: UInt32, _ task: RingTask) -> Int {
        let entries = min(memory[.submissionTail] &- taken, memory.submissions, count)
        var chain = Chain()
        var left = entries
        while left > 0 {
            guard FrameAllocator.freeFrames > 1024 else {
                memory[.submissionHead] = taken
                if left == entries { return -Int(Errno.wouldBlock.rawValue) }
                break
            }
            guard let entry = takeEntry() else { break }
            left -= 1
            if !take(entry, task, &chain), !setup.contains(.submitAll) { break }
        }
        if let head = chain.first { begin(head, isInline: false) }
        memory[.submissionHead] = taken
        commit()
        return Int(entries - left)
    }

    /// A chain of links that is being put together.
    struct Chain {
        var first: Request?
        var last: Request?

        mutating func append(_ request: Request) {
            if let last { last.link = request } else { first = request }
            last = request
        }
    }
}
