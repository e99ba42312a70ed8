import Kernel
import LinuxABI

/// TIMEOUT, LINK_TIMEOUT, and what ends others: TIMEOUT_REMOVE and ASYNC_CANCEL.
extension Ring {
    // IORING_TIMEOUT_
    private static let isAbsolute: UInt32 = 1
    private static let updates: UInt32 = 2
    private static let ofBoot: UInt32 = 4
    private static let ofDay: UInt32 = 8
    private static let updatesLinked: UInt32 = 16
    private static let succeeds: UInt32 = 32
    static let repeats: UInt32 = 64

    private static func checkClock(_ options: UInt32) throws(Errno) {
        guard options & (ofBoot | ofDay) != ofBoot | ofDay else { throw .invalidArgument }
    }

    private static func time(at address: UInt64) throws(Errno) -> Nanoseconds {
        let value = try UserPointer<TimeSpecification>(UInt(address)).load()
        guard value.seconds >= 0, value.nanoseconds >= 0 else { throw .invalidArgument }
        let extra = value.nanoseconds / 1_000_000_000
        let (seconds, overflow) = value.seconds.addingReportingOverflow(extra)
        guard !overflow else { return UInt64(Int64.max) }
        let whole = TimeSpecification(
            seconds: seconds,
            nanoseconds: value.nanoseconds % 1_000_000_000
        )
        return whole.total ?? UInt64(Int64.max)
    }

    func prepareTimeout(_ request: Request, _ before: Request?) throws(Errno) {
        let entry = request.entry
        let isLinked = request.operation == .linkTimeout
        guard entry.length == 1, !isLinked || entry.offset == 0 else { throw .invalidArgument }
        let known = Ring.isAbsolute | Ring.ofBoot | Ring.ofDay | Ring.succeeds | Ring.repeats
        guard entry.options & ~known == 0 else { throw .invalidArgument }
        try Ring.checkClock(entry.options)
        guard entry.options & Ring.repeats == 0 || entry.options & Ring.isAbsolute == 0 else {
            throw .invalidArgument
        }
        request.time = try Ring.time(at: entry.address)
        guard isLinked else { return }
        guard let before, before.operation != .linkTimeout else { throw .invalidArgument }
    }

    func prepareTimeoutRemoval(_ request: Request) throws(Errno) {
        let options = request.entry.options
        guard !request.flags.contains(.fixedFile) else { throw .invalidArgument }
        guard options & (Ring.updates | Ring.updatesLinked) != 0 else {
            guard options == 0 else { throw .invalidArgument }
            return
        }
        try Ring.checkClock(options)
        let known =
            Ring.updates | Ring.updatesLinked | Ring.isAbsolute | Ring.ofBoot | Ring.ofDay
        guard options & ~known == 0 else { throw .invalidArgument }
        request.time = try Ring.time(at: request.entry.offset)
    }

    func deadline(of request: Request) -> Nanoseconds {
        Ring.deadline(request.time, request.entry.options)
    }

    private static func deadline(_ time: Nanoseconds, _ options: UInt32) -> Nanoseconds {
        guard options & isAbsolute != 0 else { return Clock.deadline(after: time) }
        let clock: ClockID = options & ofDay != 0 ? .realtime : .monotonic
        return (try? Clock.deadline(at: time, on: clock)) ?? .never
    }

    /// Completes a request with what its waiting led to.
    func complete(_ request: Request, _ outcome: Int32) {
        let isTime = outcome == -Int32(Errno.timeExpired.rawValue)
        switch request.operation {
        case .timeout where isTime:
            if request.entry.options & Ring.repeats != 0, request.entry.offset != 1,
                postMore(request, outcome)
            {
                if request.entry.offset > 0 { request.entry.offset -= 1 }
                request.start(at: deadline(of: request))
                return
            }
            finish(request, outcome, isFailure: request.entry.options & Ring.succeeds == 0)
        case .linkTimeout where isTime:
            if let head = request.guarded {
                request.guarded = nil
                head.link = request.link
                request.link = nil
                if head.outcome == nil { cancel(head) }
            }
            finish(request, outcome, isFailure: false)
        default:
            // A LINK_TIMEOUT that was not needed did not fail.
            let isFailure = outcome < 0 && request.operation != .linkTimeout
            finish(request, outcome, isFailure: isFailure)
        }
    }

    func updateTimeout(_ request: Request) throws(Errno) -> Step {
        let entry = request.entry
        let operation: Operation =
            entry.options & Ring.updatesLinked != 0 ? .linkTimeout : .timeout
        guard
            let target = waiting({
                $0.operation == operation && $0.entry.userData == entry.address
                    && $0.outcome == nil
            })
        else { throw .noSuchFileOrDirectory }
        if entry.options & (Ring.updates | Ring.updatesLinked) != 0 {
            target.time = request.time
            target.entry.options &= Ring.succeeds
            target.entry.options |= entry.options & (Ring.isAbsolute | Ring.ofBoot | Ring.ofDay)
            target.target = nil
            target.start(at: Ring.deadline(request.time, entry.options))
        } else {
            cancel(target)
        }
        return .done(0, isFailure: false)
    }

    // MARK: ASYNC_CANCEL

    func cancelMatching(_ entry: SubmissionEntry) throws(Errno) -> Step {
        var file: OpenFile?
        if entry.cancels(.file) {
            var named = entry
            named.flags = entry.cancels(.fixedFile) || entry.flags & 1 != 0 ? 1 : 0
            file = try self.file(of: named)
        }
        var count = 0
        let isForAll = entry.cancels(.all) || entry.cancels(.any)
        while let found = waiting({ entry.isMeant($0, file) && $0.outcome == nil }) {
            cancel(found)
            count += 1
            if !isForAll { return .done(0, isFailure: false) }
        }
        guard isForAll else { throw .noSuchFileOrDirectory }
        return .done(count, isFailure: false)
    }
}

/// IORING_ASYNC_CANCEL_
struct CancelFlag: OptionSet {
    let rawValue: UInt32
    static var all: CancelFlag { CancelFlag(rawValue: 1) }
    static var file: CancelFlag { CancelFlag(rawValue: 2) }
    static var any: CancelFlag { CancelFlag(rawValue: 4) }
    static var fixedFile: CancelFlag { CancelFlag(rawValue: 8) }
    static var userData: CancelFlag { CancelFlag(rawValue: 16) }
    static var operation: CancelFlag { CancelFlag(rawValue: 32) }
}

extension SubmissionEntry {
    func cancels(_ flag: CancelFlag) -> Bool { options & flag.rawValue != 0 }

    /// Whether a request that waits is one that this entry cancels.
    fileprivate func isMeant(_ request: Request, _ file: OpenFile?) -> Bool {
        guard request.operation != .linkTimeout else { return false }
        if cancels(.any) { return true }
        if cancels(.file), request.file !== file { return false }
        if cancels(.operation), UInt32(request.entry.operation) != length { return false }
        let looksAtData = cancels(.userData) || !cancels(.file) && !cancels(.operation)
        return !looksAtData || request.entry.userData == address
    }
}
