import LinuxABI

/// One file that an epoll watches: its key is the descriptor and the open file.
final class EpollWatch: WaitEntry {
    unowned(unsafe) let epoll: EpollFile
    unowned(unsafe) let file: OpenFile
    let descriptor: FileDescriptor
    var events: PollEvents
    var mode: Epoll.Mode
    var data: UInt64
    /// The neighbours among the ready ones.
    unowned(unsafe) var nextReady: EpollWatch?
    unowned(unsafe) var previousReady: EpollWatch?
    var isReady = false
    /// The next watch of the same file.
    var nextOfFile: Unmanaged<EpollWatch>?

    init(
        _ epoll: EpollFile,
        _ file: OpenFile,
        _ descriptor: FileDescriptor,
        _ event: Epoll.Event
    ) {
        self.epoll = epoll
        self.file = file
        self.descriptor = descriptor
        events = event.pollEvents
        mode = event.mode
        data = event.data
        super.init()
        isExclusive = mode.contains(.exclusive)
    }

    override func notify(_ happened: PollEvents) -> Bool {
        guard !events.isDisjoint(with: happened) else { return false }
        // An epoll on which nobody waits does not take the news from the others.
        let isTaken = isExclusive && epoll.isAwaited
        epoll.becameReady(self)
        // The host's streams tell of a level: they are asked again only when somebody looked.
        if file.reportsLevel { leave() }
        return isTaken
    }

    /// The file's last descriptor was closed.
    func fileClosed() { epoll.remove(self) }
}

/// The numbers of epoll(7).
public enum Epoll {
    /// EPOLLEXCLUSIVE, EPOLLWAKEUP, EPOLLONESHOT, EPOLLET
    struct Mode: OptionSet {
        let rawValue: UInt32
        static var exclusive: Mode { Mode(rawValue: 1 << 28) }
        static var wakeUp: Mode { Mode(rawValue: 1 << 29) }
        static var oneShot: Mode { Mode(rawValue: 1 << 30) }
        static var edge: Mode { Mode(rawValue: 1 << 31) }
        static var all: Mode { Mode(rawValue: 0xf << 28) }
    }

    public enum Operation: UInt32 {
        case add = 1
        case delete, modify
    }

    /// What `struct epoll_event` holds; it is packed on x86-64, so it is read by parts.
    public struct Event {
        public static let size = 12
        public var events: UInt32
        public var data: UInt64

        public init(events: UInt32, data: UInt64) {
            self.events = events
            self.data = data
        }

        var mode: Mode { Mode(rawValue: events).intersection(.all) }
        var pollEvents: PollEvents {
            PollEvents(rawValue: events & ~Mode.all.rawValue).union(.unasked)
        }
    }

    /// As Linux: how deep one epoll may watch another.
    static let deepest = 5
}

/// An epoll: files that are watched, and those of them that are ready.
public final class EpollFile: AnonymousFile {
    /// Watches by descriptor and file; each is retained once for its place here.
    private var watches = PointerTable()
    private unowned(unsafe) var firstReady: EpollWatch?
    private unowned(unsafe) var lastReady: EpollWatch?
    private let queue = WaitQueue()

    public init() { super.init(flags: .readWrite) }

    deinit {
        var all: [Unmanaged<EpollWatch>] = []
        watches.forEach { all.append(Unmanaged<EpollWatch>.fromOpaque($0)) }
        for watch in all { remove(watch.takeUnretainedValue()) }
    }

    public override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(queue) }

    var isAwaited: Bool { !queue.isEmpty }

    public override func readiness() -> PollEvents {
        dropStale()
        return firstReady == nil ? [] : .allReadable
    }

    public override func describe(into text: inout TextBuffer) {
        text.append("anon_inode:[eventpoll]")
    }

    // MARK: Watching

    private func find(_ descriptor: FileDescriptor, _ file: OpenFile) -> EpollWatch? {
        guard let found = watches[UInt64(descriptor.rawValue), address(file)] else { return nil }
        return Unmanaged<EpollWatch>.fromOpaque(found).takeUnretainedValue()
    }

    private func address(_ file: OpenFile) -> UInt {
        UInt(bitPattern: Unmanaged.passUnretained(file).toOpaque())
    }

    /// As epoll_ctl(2).
    public func change(
        _ operation: Epoll.Operation,
        _ descriptor: FileDescriptor,
        _ file: OpenFile,
        _ event: Epoll.Event
    ) throws(Errno) {
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        guard file.isPollable else { throw .notPermitted }
        guard file !== self else { throw .invalidArgument }
        let watch = find(descriptor, file)
        switch operation {
        case .add:
            guard watch == nil else { throw .fileExists }
            try checkExclusive(event, file)
            if let inner = file as? EpollFile { try checkLoop(inner) }
            try add(EpollWatch(self, file, descriptor, event))
        case .delete:
            guard let watch else { throw .noSuchFileOrDirectory }
            remove(watch)
        case .modify:
            guard !event.mode.contains(.exclusive) else { throw .invalidArgument }
            guard let watch else { throw .noSuchFileOrDirectory }
            guard !watch.mode.contains(.exclusive) else { throw .invalidArgument }
            watch.events = event.pollEvents
            watch.mode = event.mode
            watch.data = event.data
            rearm(watch)
        }
    }

    private func checkExclusive(_ event: Epoll.Event, _ file: OpenFile) throws(Errno) {
        guard event.mode.contains(.exclusive) else { return }
        guard !event.mode.contains(.oneShot), !(file is EpollFile) else { throw .invalidArgument }
    }

    private func add(_ watch: EpollWatch) throws(Errno) {
        let reference = Unmanaged.passRetained(watch)
        do throws(Errno) {
            try watches.insert(
                UInt64(watch.descriptor.rawValue),
                address(watch.file),
                reference.toOpaque()
            )
        } catch {
            reference.release()
            throw error
        }
        watch.nextOfFile = watch.file.firstWatch
        watch.file.firstWatch = reference
        rearm(watch)
    }

    /// Watches again, and looks whether the file is ready already.
    private func rearm(_ watch: EpollWatch) {
        if watch.queue == nil { watch.file.waitQueue?.lent.add(watch) }
        if !watch.file.readiness().isDisjoint(with: watch.events) { becameReady(watch) }
    }

    /// Somebody read or wrote a file that reports levels.
    static func looked(at file: OpenFile) {
        var cursor = file.firstWatch
        while let watch = cursor?.takeUnretainedValue() {
            cursor = watch.nextOfFile
            if watch.queue == nil { file.waitQueue?.lent.add(watch) }
        }
    }

    func remove(_ watch: EpollWatch) {
        watch.leave()
        unlinkReady(watch)
        watches.remove(UInt64(watch.descriptor.rawValue), address(watch.file))
        unlinkFromFile(watch)
        Unmanaged.passUnretained(watch).release()
    }

    private func unlinkFromFile(_ watch: EpollWatch) {
        let target = Unmanaged.passUnretained(watch).toOpaque()
        guard watch.file.firstWatch?.toOpaque() != target else {
            watch.file.firstWatch = watch.nextOfFile
            return
        }
        var cursor = watch.file.firstWatch
        while let current = cursor {
            let next = current._withUnsafeGuaranteedRef { $0.nextOfFile }
            if next?.toOpaque() == target {
                current._withUnsafeGuaranteedRef { $0.nextOfFile = watch.nextOfFile }
                return
            }
            cursor = next
        }
    }

    /// Throws `tooManySymbolicLinks` when `inner` watches this epoll already, or too deep.
    private func checkLoop(_ inner: EpollFile) throws(Errno) {
        guard 1 + inner.depth(searching: self, 1) + heightAbove(1) <= Epoll.deepest else {
            throw .tooManySymbolicLinks
        }
    }

    /// How deep epolls watch each other from here down; more than the limit when `other` is there.
    private func depth(searching other: EpollFile, _ level: Int) -> Int {
        guard self !== other, level <= Epoll.deepest else { return Epoll.deepest + 1 }
        var deepest = 1
        watches.forEach { pointer in
            let file = Unmanaged<EpollWatch>.fromOpaque(pointer).takeUnretainedValue().file
            guard let inner = file as? EpollFile else { return }
            deepest = max(deepest, 1 + inner.depth(searching: other, level + 1))
        }
        return deepest
    }

    /// How many epolls watch each other from here up, this one not counted.
    private func heightAbove(_ level: Int) -> Int {
        guard level <= Epoll.deepest else { return Epoll.deepest }
        var highest = 0
        var cursor = firstWatch
        while let watch = cursor?.takeUnretainedValue() {
            cursor = watch.nextOfFile
            highest = max(highest, 1 + watch.epoll.heightAbove(level + 1))
        }
        return highest
    }

    /// The file behind the `place`th watch with a descriptor, oldest first: kcmp(2).
    public func watchedFile(_ descriptor: FileDescriptor, _ place: Int) throws(Errno) -> OpenFile {
        var left = place
        var found: OpenFile?
        watches.forEach { pointer in
            let watch = Unmanaged<EpollWatch>.fromOpaque(pointer).takeUnretainedValue()
            guard watch.descriptor == descriptor else { return }
            if left == 0 { found = watch.file }
            left -= 1
        }
        guard let found else { throw .noSuchFileOrDirectory }
        return found
    }

    // MARK: The ready ones

    func becameReady(_ watch: EpollWatch) {
        if !watch.isReady { appendReady(watch) }
        queue.wake(.allReadable)
    }

    private func appendReady(_ watch: EpollWatch) {
        watch.isReady = true
        watch.nextReady = nil
        watch.previousReady = lastReady
        if let lastReady { lastReady.nextReady = watch } else { firstReady = watch }
        lastReady = watch
    }

    private func unlinkReady(_ watch: EpollWatch) {
        guard watch.isReady else { return }
        if let previous = watch.previousReady {
            previous.nextReady = watch.nextReady
        } else {
            firstReady = watch.nextReady
        }
        if let next = watch.nextReady {
            next.previousReady = watch.previousReady
        } else {
            lastReady = watch.previousReady
        }
        watch.isReady = false
    }

    /// Takes those off the list that are not ready any more.
    private func dropStale() {
        while let watch = firstReady {
            guard watch.file.readiness().isDisjoint(with: watch.events) else { return }
            unlinkReady(watch)
            if watch.queue == nil { watch.file.waitQueue?.lent.add(watch) }
        }
    }

    /// Gives at most `limit` events to `body`; answers how many.
    private func collect(_ limit: Int, _ body: (Epoll.Event) throws(Errno) -> Void)
        throws(Errno) -> Int
    {
        var found = 0
        unowned(unsafe) let end = lastReady
        while found < limit, let watch = firstReady {
            let isLast = watch === end
            unlinkReady(watch)
            let ready = watch.file.readiness().intersection(watch.events)
            if ready.isEmpty {
                if watch.queue == nil { watch.file.waitQueue?.lent.add(watch) }
            } else {
                do throws(Errno) {
                    try body(Epoll.Event(events: ready.rawValue, data: watch.data))
                } catch {
                    appendReady(watch)
                    guard found > 0 else { throw error }
                    return found
                }
                found += 1
                settle(watch)
            }
            if isLast { break }
        }
        return found
    }

    /// After an event was given: level-triggered watches stay, at the end of the list.
    private func settle(_ watch: EpollWatch) {
        if watch.mode.contains(.oneShot) {
            watch.events = []
            watch.leave()
        } else if !watch.mode.contains(.edge) {
            appendReady(watch)
        }
    }

    /// As epoll_wait(2), with the monotonic time to wait until. Throws `interrupted`.
    public func wait(
        _ limit: Int,
        until deadline: Nanoseconds,
        _ body: (Epoll.Event) throws(Errno) -> Void
    ) throws(Errno) -> Int {
        while true {
            let found = try collect(limit, body)
            guard found == 0, deadline != 0 else { return found }
            do throws(Errno) {
                try queue.wait(for: .allReadable, until: deadline)
            } catch {
                guard error == .timedOut else { throw error }
                return try collect(limit, body)
            }
        }
    }
}
