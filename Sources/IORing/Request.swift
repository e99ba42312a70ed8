import Kernel
import LinuxABI

/// A request under way. Where it waits it is in the queue of its file, or has a timer that runs.
final class Request: WaitEntry {
    let ring: Ring
    /// Who submitted it, and goes on with it.
    unowned(unsafe) let task: RingTask
    let operation: Operation
    var entry: SubmissionEntry
    /// How it failed before it ran.
    var failure: Errno?
    /// What it is to be completed with.
    var outcome: Int32?
    var file: OpenFile?
    /// The next one of its chain.
    var link: Request?
    /// The request that a LINK_TIMEOUT ends.
    unowned(unsafe) var guarded: Request?
    /// What it waits for in the queue of its file.
    var interest: PollEvents = []
    /// Bytes that were moved before it waited again.
    var done = 0
    /// Of timeouts: a length or a time, and at which count of completions it ends.
    var time: Nanoseconds = 0
    var target: UInt64? {
        didSet { ring.counting += (target == nil ? 0 : 1) - (oldValue == nil ? 0 : 1) }
    }
    var timer: RequestTimer?
    var waitsForEarlier = false
    /// It fails, and what follows it says nothing.
    var silencesLinks = false

    // Its places in lists, each of which owns it once.
    var nextReady: Unmanaged<Request>?
    var isReady = false
    unowned(unsafe) var next: Request?
    unowned(unsafe) var previous: Request?
    var isListed = false

    init(_ ring: Ring, _ task: RingTask, _ operation: Operation, _ entry: SubmissionEntry) {
        self.ring = ring
        self.task = task
        self.operation = operation
        self.entry = entry
    }

    var flags: EntryFlags { EntryFlags(rawValue: entry.flags) }
    var isMultishot: Bool {
        switch operation {
        case .poll: return entry.length & 1 != 0
        case .accept: return entry.priority & 1 != 0
        default: return false
        }
    }

    override func notify(_ events: PollEvents) -> Bool {
        guard !interest.isDisjoint(with: events) else { return false }
        leave()
        task.add(self)
        return operation != .poll
    }

    /// Starts its timer, or moves it.
    func start(at deadline: Nanoseconds) {
        if timer == nil { timer = RequestTimer(self) }
        TimerQueue.shared.start(timer!, at: deadline)
    }

    /// Takes it out of what it waits for.
    func stopWaiting() {
        leave()
        if let timer { TimerQueue.shared.stop(timer) }
    }
}

/// The timer of a timeout.
final class RequestTimer: Timer {
    unowned(unsafe) let request: Request

    init(_ request: Request) { self.request = request }

    override func expired(at time: Nanoseconds) {
        if request.outcome == nil { request.outcome = -Int32(Errno.timeExpired.rawValue) }
        request.task.add(request)
    }
}

/// What a thread does for its requests.
final class RingTask: DeferredWork {
    private unowned(unsafe) let thread: Thread
    private var first: Unmanaged<Request>?
    private var last: Unmanaged<Request>?
    private var rings: [Ring] = []

    private init(_ thread: Thread) { self.thread = thread }

    /// That of the current thread.
    static func current(for ring: Ring) -> RingTask {
        let thread = Thread.current
        let task: RingTask
        if let found = thread.deferredWork {
            task = unsafeDowncast(found, to: RingTask.self)
        } else {
            task = RingTask(thread)
            thread.deferredWork = task
        }
        if !task.rings.contains(where: { $0 === ring }) {
            task.rings.removeAll { $0.isClosed }
            task.rings.append(ring)
        }
        return task
    }

    /// Has the thread go on with a request.
    func add(_ request: Request) {
        guard !request.isReady else { return }
        request.isReady = true
        request.nextReady = nil
        let reference = Unmanaged.passRetained(request)
        if let last { last.takeUnretainedValue().nextReady = reference } else { first = reference }
        last = reference
        thread.runSoon()
    }

    /// Whether something is ready to go on.
    var hasWork: Bool { first != nil }

    override func run() {
        while let batch = first {
            first = nil
            last = nil
            var cursor: Unmanaged<Request>? = batch
            while let reference = cursor {
                let request = reference.takeRetainedValue()
                cursor = request.nextReady
                request.nextReady = nil
                request.isReady = false
                if request.ring.isClosed {
                    request.cutLinks()
                } else {
                    request.ring.resume(request)
                }
            }
            for ring in rings { ring.commit() }
        }
    }

    override func cancel() {
        // Others may have the ring too: they are told.
        for ring in rings where !ring.isClosed { ring.cancelAll(of: self) }
        var cursor = first
        while let request = cursor?.takeUnretainedValue() {
            if request.outcome == nil { request.outcome = -Int32(Errno.canceled.rawValue) }
            cursor = request.nextReady
        }
        run()
        for ring in rings { ring.drop(self) }
        while let reference = first {
            let request = reference.takeRetainedValue()
            first = request.nextReady
            request.nextReady = nil
            request.isReady = false
            request.cutLinks()
        }
        last = nil
        rings = []
    }
}
