import Kernel
import LinuxABI

/// io_uring_setup(2), io_uring_enter(2) and io_uring_register(2).
public enum Rings {
    /// Lends what the handlers of other calls do.
    public static func lend(
        run: @escaping (Int, UInt, UInt, UInt, UInt, UInt) -> Int,
        moveMessage: @escaping (SocketFile, UInt, MessageFlags, Bool) -> Int
    ) {
        RingCalls.run = run
        RingCalls.moveMessage = moveMessage
    }

    private static func ring(_ descriptor: FileDescriptor) throws(Errno) -> Ring {
        guard let file = try Process.current.descriptors.file(descriptor) as? RingFile else {
            throw .notSupported
        }
        return unsafeDowncast(file.ring, to: Ring.self)
    }

    // MARK: Setting up

    private static let mostSubmissions: UInt32 = 32_768
    private static let mostCompletions: UInt32 = 65_536

    /// IORING_FEAT_SINGLE_MMAP, NODROP, RW_CUR_POS, CUR_PERSONALITY, FAST_POLL, POLL_32BITS, EXT_ARG,
    /// CQE_SKIP, LINKED_FILE
    private static let features: UInt32 =
        1 | 2 | 8 | 16 | 32 | 64 | 1 << 8 | 1 << 11 | 1 << 12

    private static func rounded(_ count: UInt32, _ most: UInt32, _ flags: SetupFlags)
        throws(Errno) -> UInt32
    {
        guard count > 0, count <= most || flags.contains(.clamp) else { throw .invalidArgument }
        let least = min(count, most)
        return least == 1 ? 1 : 1 << UInt32(32 - (least - 1).leadingZeroBitCount)
    }

    /// As io_uring_setup(2).
    public static func setUp(_ entries: UInt32, _ address: UInt) throws(Errno) -> FileDescriptor {
        let place = UserPointer<SetupParameters>(address)
        var parameters = try place.load()
        let flags = SetupFlags(rawValue: parameters.flags)
        guard parameters.reserved == (0, 0, 0), flags.isSubset(of: .known) else {
            throw .invalidArgument
        }
        // IORING_SETUP_TASKRUN_FLAG means nothing else alone.
        guard !flags.contains(.tellsWork) || flags.contains(.cooperative) else {
            throw .invalidArgument
        }
        let submissions = try rounded(entries, mostSubmissions, flags)
        var completions = submissions * 2
        if flags.contains(.completionSize) {
            completions = try rounded(parameters.completions, mostCompletions, flags)
            guard completions >= submissions else { throw .invalidArgument }
        }
        let table = Process.current.descriptors!
        if flags.contains(.attachWorkers) {
            guard let other = table.find(FileDescriptor(parameters.workers)) else {
                throw .noSuchDeviceOrAddress
            }
            guard other.takeUnretainedValue() is RingFile else { throw .invalidArgument }
        }
        try table.checkRoom()
        let memory = try RingMemory(submissions, completions)
        parameters.tell(memory, flags, features)
        let file = RingFile(Ring(memory, flags))
        try place.store(parameters)
        return try table.insert(file, closesOnExec: true)
    }

    // MARK: Entering

    private struct EnterFlags: OptionSet {
        let rawValue: UInt32
        static var getEvents: EnterFlags { EnterFlags(rawValue: 1) }
        static var extended: EnterFlags { EnterFlags(rawValue: 8) }
        static var absolute: EnterFlags { EnterFlags(rawValue: 32) }
        /// With IORING_ENTER_SQ_WAKEUP and SQ_WAIT, which mean something to polling threads only.
        static var known: EnterFlags {
            [.getEvents, .extended, .absolute, EnterFlags(rawValue: 6)]
        }
    }

    /// `struct io_uring_getevents_arg`
    private struct Waiting: BitwiseCopyable {
        var mask: UInt64 = 0
        var maskSize: UInt32 = 8
        var leastTime: UInt32 = 0
        var time: UInt64 = 0
    }

    /// As io_uring_enter(2).
    public static func enter(
        _ descriptor: FileDescriptor,
        _ count: UInt32,
        _ least: UInt32,
        _ flags: UInt32,
        _ argument: UInt,
        _ size: UInt
    ) throws(Errno) -> Int {
        let flags = EnterFlags(rawValue: flags)
        guard flags.isSubset(of: .known) else { throw .invalidArgument }
        let ring = try ring(descriptor)
        guard !ring.isDisabled else { throw .descriptorInBadState }
        var submitted = 0
        if count > 0 {
            guard ring.issuer == nil || ring.issuer === Thread.current else { throw .fileExists }
            submitted = ring.submit(count, RingTask.current(for: ring))
            guard submitted == Int(count) else { return submitted }
        }
        guard flags.contains(.getEvents) else { return submitted }
        do throws(Errno) {
            try wait(ring, least, flags, argument, size)
        } catch {
            guard submitted > 0 else { throw error }
        }
        return submitted
    }

    private static func wait(
        _ ring: Ring,
        _ least: UInt32,
        _ flags: EnterFlags,
        _ argument: UInt,
        _ size: UInt
    ) throws(Errno) {
        var waiting = Waiting(mask: UInt64(argument), maskSize: UInt32(truncatingIfNeeded: size))
        var deadline = Nanoseconds.never
        if flags.contains(.extended) {
            guard size == MemoryLayout<Waiting>.size else { throw .invalidArgument }
            waiting = try UserPointer<Waiting>(argument).load()
            if waiting.time != 0 {
                let time = try UserPointer<TimeSpecification>(UInt(waiting.time)).load()
                let total = time.total ?? 0
                deadline =
                    flags.contains(.absolute)
                    ? try Clock.deadline(at: total, on: .monotonic) : Clock.deadline(after: total)
            }
        }
        let held = Unmanaged.passRetained(ring)
        defer { held.release() }
        runOwn()
        ring.flushOverflow()
        ring.commit()
        let least = min(least, ring.memory.completions)
        guard ring.available < least else { return }
        try withMask(waiting) { () throws(Errno) in
            try block(ring, least, deadline)
        } unless: {
            ring.available > 0
        }
    }

    /// Goes on with what the current thread has to do.
    private static func runOwn() {
        let thread = Thread.current
        if thread.hasDeferredWork { thread.runDeferred() }
    }

    /// Waits for so many completions, or for a timeout to be one of them.
    private static func block(_ ring: Ring, _ least: UInt32, _ deadline: Nanoseconds)
        throws(Errno)
    {
        let timeouts = ring.timeouts
        while true {
            do throws(Errno) {
                try ring.queue.wait(for: .allReadable, until: deadline)
            } catch {
                ring.flushOverflow()
                throw error == .timedOut ? .timeExpired : error
            }
            runOwn()
            ring.flushOverflow()
            guard ring.available < least, ring.timeouts == timeouts else { return }
        }
    }

    /// Waits with another signal mask. An error counts only when there is nothing to take.
    private static func withMask(
        _ waiting: Waiting,
        _ body: () throws(Errno) -> Void,
        unless hasResult: () -> Bool
    ) throws(Errno) {
        let thread = Thread.current
        if waiting.mask != 0 {
            guard waiting.maskSize == 8 else { throw .invalidArgument }
            let mask = try UserPointer<UInt64>(UInt(waiting.mask)).load()
            thread.signals.setTemporaryMask(SignalSet(rawValue: mask), of: thread)
        }
        do throws(Errno) {
            try body()
            if waiting.mask != 0 { thread.signals.endTemporaryMask(of: thread) }
        } catch {
            if waiting.mask != 0, error != .interrupted {
                thread.signals.endTemporaryMask(of: thread)
            }
            guard hasResult() else { throw error }
        }
    }

    // MARK: Registering

    /// As io_uring_register(2).
    public static func register(
        _ descriptor: FileDescriptor,
        _ operation: UInt32,
        _ argument: UInt,
        _ count: UInt32
    ) throws(Errno) -> Int {
        guard operation < 36 else { throw .invalidArgument }
        let ring = try ring(descriptor)
        guard ring.issuer == nil || ring.issuer === Thread.current else { throw .fileExists }
        return try ring.register(operation, argument, count)
    }
}

extension SetupParameters {
    /// Fills in where things are.
    fileprivate mutating func tell(_ memory: RingMemory, _ flags: SetupFlags, _ features: UInt32) {
        func place(_ place: RingMemory.Place) -> UInt32 { UInt32(place.rawValue) }
        submissions = memory.submissions
        completions = memory.completions
        self.features = features
        submissionOffsets = Offsets(
            head: place(.submissionHead),
            tail: place(.submissionTail),
            mask: place(.submissionMask),
            entries: place(.submissionCount),
            fifth: place(.submissionFlags),
            sixth: place(.dropped),
            seventh: flags.contains(.noArray) ? 0 : UInt32(memory.arrayOffset),
            reserved: 0,
            address: 0
        )
        completionOffsets = Offsets(
            head: place(.completionHead),
            tail: place(.completionTail),
            mask: place(.completionMask),
            entries: place(.completionCount),
            fifth: place(.lost),
            sixth: place(.completionEntries),
            seventh: place(.completionFlags),
            reserved: 0,
            address: 0
        )
    }
}
