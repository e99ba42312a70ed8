import LinuxABI

/// Waiting for one of several words: futex_waitv(2).
extension Futex {
    /// `struct futex_waitv`
    public struct Request: BitwiseCopyable {
        public var value: UInt64
        public var address: UInt64
        public var flags: UInt32
        public var reserved: UInt32

        /// FUTEX2_SIZE_U32, the only size that there is, and FUTEX2_PRIVATE.
        fileprivate static let wordSize: UInt32 = 2
        fileprivate static let isPrivate: UInt32 = 128

        public var isValid: Bool {
            flags & ~Request.isPrivate == Request.wordSize && reserved == 0 && value >> 32 == 0
        }
    }

    /// FUTEX_WAITV_MAX
    public static let mostRequests = 128

    /// Blocks until a wake at one of the words, if all of them are still as expected; returns which.
    ///
    /// Throws `wouldBlock` when one is not, `timedOut`, `interrupted`, `badAddress`.
    public static func wait(
        forOneOf requests: UnsafeBufferPointer<Request>,
        until deadline: Nanoseconds
    ) throws(Errno) -> Int {
        let memory = try KernelBuffer(requests.count * MemoryLayout<FutexWaiter>.stride)
        let waiters = UnsafeMutableBufferPointer(
            start: memory.bytes.baseAddress!.assumingMemoryBound(to: FutexWaiter.self),
            count: requests.count
        )
        waiters.initialize(repeating: FutexWaiter())
        for (index, request) in requests.enumerated() {
            waiters[index].key = try key(
                UInt(request.address),
                isShared: request.flags & Request.isPrivate == 0
            )
            waiters[index].thread = Unmanaged.passUnretained(Thread.current)
        }
        return try wait(requests, waiters.baseAddress!, deadline)
    }

    private static func wait(
        _ requests: UnsafeBufferPointer<Request>,
        _ waiters: WaiterPointer,
        _ deadline: Nanoseconds
    ) throws(Errno) -> Int {
        var queued = 0
        do throws(Errno) {
            while queued < requests.count {
                guard try load(UInt(requests[queued].address)) == requests[queued].value else {
                    throw .wouldBlock
                }
                enqueue(waiters + queued)
                queued += 1
            }
            try Scheduler.block(until: deadline, isInterruptible: true)
        } catch {
            // A wake that came while it was on its way counts: the waker was told so.
            guard let woken = dequeue(waiters, queued) else { throw error }
            return woken
        }
        return dequeue(waiters, queued) ?? 0
    }

    /// Takes all out of their queues; the last that was woken.
    private static func dequeue(_ waiters: WaiterPointer, _ count: Int) -> Int? {
        var woken: Int?
        for index in 0..<count {
            if waiters[index].queue == nil { woken = index }
            dequeue(waiters + index)
        }
        return woken
    }
}
