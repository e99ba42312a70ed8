import Kernel
import LinuxABI

/// The way of a request: checked, begun, waited for, completed.
extension Ring {
    /// Takes an entry; false when it is not sound, which its completion tells.
    func take(_ entry: SubmissionEntry, _ task: RingTask, _ chain: inout Chain) -> Bool {
        let operation = Operation(rawValue: entry.operation)
        let request = Request(self, task, operation ?? .nothing, entry)
        active += 1
        do throws(Errno) {
            guard operation != nil, entry.operation < Operation.count else {
                throw .invalidArgument
            }
            try check(request, chain)
        } catch { request.failure = error }
        let isFailed = request.failure != nil
        // What follows a request that is not sound fails with it, and so does what is before it.
        if isFailed, let head = chain.first, head.failure == nil { head.failure = .canceled }
        let continues = !request.flags.isDisjoint(with: .anyLink)
        guard chain.first != nil || continues else {
            begin(request, isInline: true)
            return !isFailed
        }
        chain.append(request)
        guard !continues, let head = chain.first else { return true }
        chain = Chain()
        begin(head, isInline: true)
        return !isFailed
    }

    private func check(_ request: Request, _ chain: Chain) throws(Errno) {
        let flags = request.flags
        guard flags.isSubset(of: .known) else { throw .invalidArgument }
        guard !flags.contains(.bufferSelect) else { throw .notSupported }
        if flags.contains(.skipSuccess) { drainIsRefused = true }
        if flags.contains(.drain) {
            guard !drainIsRefused else { throw .notSupported }
            request.waitsForEarlier = true
            if let head = chain.first {
                head.waitsForEarlier = true
                drainsNext = true
            }
        }
        if drainsNext, chain.first == nil {
            drainsNext = false
            request.waitsForEarlier = true
        }
        guard request.operation.takesPriority || request.entry.priority == 0 else {
            throw .invalidArgument
        }
        guard request.entry.personality == 0, request.entry.isZero(request.operation.unused) else {
            throw .invalidArgument
        }
        try prepare(request, chain.last)
    }

    /// Begins a request, the head of its chain. What is not inline begins when all of a submission were
    /// taken.
    func begin(_ request: Request, isInline: Bool) {
        if let failure = request.failure {
            finish(request, -Int32(failure.rawValue), isFailure: true)
            return
        }
        if request.waitsForEarlier || !deferred.isEmpty {
            deferred.append(request)
            deferredCount += request.chainLength
            beginDeferred()
            return
        }
        guard isInline, !request.flags.contains(.async) else { return request.task.add(request) }
        issue(request)
    }

    /// Begins requests that waited for earlier ones, when those are complete: IOSQE_IO_DRAIN.
    private func beginDeferred() {
        var (isFirst, drains) = (true, false)
        while let request = deferred.first {
            drains = drains || request.waitsForEarlier
            guard active == deferredCount || !drains && !isFirst else { return }
            deferred.removeFirst()
            deferredCount -= request.chainLength
            request.task.add(request)
            isFirst = false
        }
    }

    /// Goes on with a request that waited.
    func resume(_ request: Request) {
        if let outcome = request.outcome {
            request.outcome = nil
            complete(request, outcome)
        } else {
            issue(request)
        }
    }

    /// What became of an attempt.
    enum Step {
        case done(Int, isFailure: Bool)
        case waits(PollEvents)
        /// It waits by a timer, or was completed.
        case settled
    }

    private func issue(_ request: Request) {
        var step: Step
        do throws(Errno) {
            if request.operation.needsFile, request.file == nil {
                request.file = try file(of: request.entry)
            }
            step = try perform(request)
        } catch {
            step = .done(-Int(error.rawValue), isFailure: true)
        }
        switch step {
        case .done(let result, let isFailure):
            finish(request, Int32(truncatingIfNeeded: result), isFailure: isFailure)
        case .waits(let events):
            wait(request, for: events)
        case .settled: break
        }
    }

    private func wait(_ request: Request, for events: PollEvents) {
        request.interest = events.union(.unasked)
        list(request)
        request.file?.waitQueue?.takeUnretainedValue().add(request)
        startTimeout(of: request)
    }

    /// Starts the LINK_TIMEOUT behind a request that waits.
    func startTimeout(of request: Request) {
        guard let timeout = request.link, timeout.operation == .linkTimeout,
            timeout.guarded == nil
        else { return }
        timeout.guarded = request
        list(timeout)
        timeout.start(at: deadline(of: timeout))
    }

    /// The file that an entry names. Throws `badDescriptor`.
    func file(of entry: SubmissionEntry) throws(Errno) -> OpenFile {
        if EntryFlags(rawValue: entry.flags).contains(.fixedFile) {
            return try fixedFile(Int(entry.descriptor))
        }
        let file = try Process.current.descriptors.file(FileDescriptor(entry.descriptor))
        guard !file.flags.contains(.path) else { throw .badDescriptor }
        return file
    }

    func fixedFile(_ index: Int) throws(Errno) -> OpenFile {
        guard index >= 0, index < files.count, let file = files[index] else {
            throw .badDescriptor
        }
        return file
    }

    /// Has a request that waits complete with an error.
    func cancel(_ request: Request) {
        request.stopWaiting()
        request.outcome = -Int32(Errno.canceled.rawValue)
        request.task.add(request)
    }

    // MARK: The end

    /// Completes a request, and lets what is linked to it begin or fail.
    func finish(_ request: Request, _ result: Int32, isFailure: Bool, flags: UInt32 = 0) {
        request.stopWaiting()
        unlist(request)
        request.file = nil
        request.target = nil
        let skips = request.flags.contains(.skipSuccess)
        if !request.silencesLinks, isFailure || !skips { post(request, result, flags: flags) }
        active -= 1
        follow(request, isFailure, silences: skips && isFailure)
        if !deferred.isEmpty { beginDeferred() }
    }

    private func follow(_ request: Request, _ isFailure: Bool, silences: Bool) {
        guard let next = request.link else { return }
        request.link = nil
        if next.operation == .linkTimeout, next.failure == nil {
            end(next, with: .canceled)
            guard let behind = next.link else { return }
            next.link = nil
            request.link = behind
            return follow(request, isFailure, silences: silences)
        }
        guard isFailure, !request.flags.contains(.hardLink) || request.failure != nil else {
            return next.task.add(next)
        }
        var cursor: Request? = next
        while let failed = cursor {
            cursor = failed.link
            failed.link = nil
            failed.silencesLinks = silences
            end(failed, with: failed.failure ?? .canceled)
        }
    }

    /// Completes a request that did not begin, or a timeout that is not needed any more.
    private func end(_ request: Request, with error: Errno) {
        request.stopWaiting()
        request.guarded = nil
        request.failure = error
        request.outcome = -Int32(error.rawValue)
        request.task.add(request)
    }
}

extension Request {
    /// Frees what is linked to it, one after the other: a chain would be freed by as many calls within
    /// calls. How many did not wait by themselves.
    @discardableResult
    func cutLinks() -> Int {
        var count = 0
        var cursor = link
        link = nil
        while let request = cursor {
            cursor = request.link
            request.link = nil
            request.guarded = nil
            if !request.isListed { count += 1 }
        }
        return count
    }

    /// How many requests it and what is linked to it are.
    var chainLength: Int {
        var count = 1
        var cursor = link
        while let request = cursor {
            count += 1
            cursor = request.link
        }
        return count
    }
}
