import Kernel
import LinuxABI

/// What each operation checks when it is submitted, and does when it runs.
extension Ring {
    /// Checks what Linux checks before a request is queued. `before` is what it is linked to.
    func prepare(_ request: Request, _ before: Request?) throws(Errno) {
        let entry = request.entry
        switch request.operation {
        case .read, .readVector, .readFixed, .write, .writeVector, .writeFixed:
            // ioprio_set(2): a class, of which the one of nobody has no level.
            let (kind, level) = (entry.priority >> 13, entry.priority & 0x1fff)
            guard kind <= 3, kind != 0 || level == 0, kind == 3 || level < 8 else {
                throw .invalidArgument
            }
        case .synchronize: guard entry.options & ~1 == 0 else { throw .invalidArgument }
        case .poll:
            guard entry.length & ~1 == 0, entry.length == 0 || !request.flags.contains(.skipSuccess)
            else { throw .invalidArgument }
        case .removePoll: try preparePollUpdate(entry)
        case .timeout, .linkTimeout: try prepareTimeout(request, before)
        case .removeTimeout: try prepareTimeoutRemoval(request)
        case .cancel:
            guard entry.options & ~63 == 0, !entry.cancels(.file) || !entry.cancels(.any),
                !entry.cancels(.operation) || !entry.cancels(.any)
            else { throw .invalidArgument }
        case .send, .sendMessage:
            guard entry.priority & ~1 == 0 else { throw .invalidArgument }
        case .receive, .receiveMessage:
            // Multishot needs buffers that the kernel chooses.
            guard entry.priority & ~1 == 0 else { throw .invalidArgument }
        case .accept:
            guard entry.priority & ~5 == 0, entry.options & ~0o2_004_000 == 0 else {
                throw .invalidArgument
            }
            guard entry.fileIndex == 0 || entry.options & 0o2_000_000 == 0,
                !request.isMultishot || entry.fileIndex == 0 || entry.fileIndex == .max
            else { throw .invalidArgument }
        case .open, .openHow:
            guard !request.flags.contains(.fixedFile) else { throw .badDescriptor }
            guard
                entry.fileIndex == 0 || entry.options & 0o2_000_000 == 0
                    || request.operation == .openHow
            else { throw .invalidArgument }
        case .close:
            guard !request.flags.contains(.fixedFile) else { throw .badDescriptor }
            guard entry.fileIndex == 0 || entry.descriptor == 0 else { throw .invalidArgument }
        case .statx, .rename, .unlink, .makeDirectory, .makeSymbolicLink, .makeLink:
            guard !request.flags.contains(.fixedFile) else { throw .badDescriptor }
            if request.operation == .unlink, entry.options & ~0x200 != 0 { throw .invalidArgument }
        // These take descriptors only.
        case .connect, .allocate, .synchronizeRange, .adviseFile, .shutDown, .truncate, .bind,
            .listen, .socket:
            guard !request.flags.contains(.fixedFile) else { throw .badDescriptor }
        default: break
        }
    }

    func perform(_ request: Request) throws(Errno) -> Step {
        let entry = request.entry
        switch request.operation {
        case .nothing: return .done(0, isFailure: false)
        case .read, .readVector, .readFixed, .write, .writeVector, .writeFixed:
            return try transfer(request)
        case .synchronize:
            try request.file!.synchronize()
            return .done(0, isFailure: false)
        case .poll: return poll(request)
        case .removePoll: return try updatePoll(request)
        case .timeout:
            list(request)
            if entry.offset > 0, entry.options & Ring.repeats == 0 {
                request.target = counted + (entry.offset & 0xffff_ffff)
            }
            request.start(at: deadline(of: request))
            return .settled
        case .linkTimeout: throw .invalidArgument
        case .removeTimeout: return try updateTimeout(request)
        case .cancel: return try cancelMatching(entry)
        case .accept: return try accept(request)
        case .send, .receive: return try moveBytes(request)
        case .sendMessage, .receiveMessage: return try moveMessage(request)
        case .close where entry.fileIndex != 0:
            guard !files.isEmpty else { throw .noSuchDeviceOrAddress }
            guard Int(entry.fileIndex) <= files.count else { throw .invalidArgument }
            nextPlace = Int(entry.fileIndex) - 1
            _ = try fixedFile(nextPlace)
            files[nextPlace] = nil
            return .done(0, isFailure: false)
        case .updateFiles:
            let count = try updateFiles(
                at: UInt64(entry.offset),
                UInt(entry.address),
                Int(entry.length)
            )
            return .done(count, isFailure: false)
        default: return try runCall(request)
        }
    }

    // MARK: Calls

    /// Which call an operation is, and which members are its arguments.
    private func call(_ entry: SubmissionEntry, _ operation: Operation) -> (
        Int, UInt, UInt, UInt, UInt, UInt
    ) {
        let descriptor = UInt(bitPattern: Int(entry.descriptor))
        let (address, offset) = (UInt(entry.address), UInt(entry.offset))
        let (length, options) = (UInt(entry.length), UInt(entry.options))
        return switch operation {
        case .synchronizeRange: (277, descriptor, offset, length, options, 0)
        case .connect: (42, descriptor, address, offset, 0, 0)
        case .allocate: (285, descriptor, length, offset, address, 0)
        case .open: (257, descriptor, address, options, length, 0)
        case .openHow: (437, descriptor, address, offset, length, 0)
        case .close: (3, descriptor, 0, 0, 0, 0)
        case .statx: (332, descriptor, address, options, length, offset)
        case .adviseFile: (221, descriptor, offset, length, options, 0)
        case .adviseMemory: (28, address, length, options, 0, 0)
        case .controlEpoll: (233, descriptor, length, offset, address, 0)
        case .shutDown: (48, descriptor, length, 0, 0, 0)
        case .rename: (316, descriptor, address, length, offset, options)
        case .unlink: (263, descriptor, address, options, 0, 0)
        case .makeDirectory: (258, descriptor, address, length, 0, 0)
        case .makeSymbolicLink: (266, address, descriptor, offset, 0, 0)
        case .makeLink: (265, descriptor, address, length, offset, options)
        case .truncate: (77, descriptor, offset, 0, 0, 0)
        case .socket: (41, descriptor, offset, length, 0, 0)
        case .bind: (49, descriptor, address, offset, 0, 0)
        default: (50, descriptor, length, 0, 0, 0)
        }
    }

    private func runCall(_ request: Request) throws(Errno) -> Step {
        let entry = request.entry
        let (number, first, second, third, fourth, fifth) = call(entry, request.operation)
        var result: Int
        if let file = request.file {
            result = try file.withoutWaiting { () throws(Errno) in
                RingCalls.run(number, first, second, third, fourth, fifth)
            }
            if result == -Int(Errno.wouldBlock.rawValue) { return .waits(.allWritable) }
        } else {
            if request.operation == .close {
                let file = try Process.current.descriptors.file(FileDescriptor(entry.descriptor))
                guard !(file is RingFile) else { throw .badDescriptor }
            }
            result = RingCalls.run(number, first, second, third, fourth, fifth)
        }
        let opens = [Operation.open, .openHow, .socket].contains(request.operation)
        if result >= 0, opens, entry.fileIndex != 0 {
            let table = Process.current.descriptors!
            let descriptor = FileDescriptor(UInt(result))
            let file = try table.file(descriptor)
            try table.close(descriptor)
            result = try keep(file, entry.fileIndex)
        }
        return .done(result, isFailure: result < 0)
    }

    /// Puts a file into the table of registered files instead of giving it a descriptor: the place, which
    /// is told only where it was not asked for.
    func keep(_ file: OpenFile, _ index: UInt32) throws(Errno) -> Int {
        guard !files.isEmpty else { throw .noSuchDeviceOrAddress }
        guard index == .max else {
            guard Int(index) <= files.count else { throw .invalidArgument }
            files[Int(index) - 1] = file
            return 0
        }
        for step in 0..<files.count {
            let place = (nextPlace + step) % files.count
            guard files[place] == nil else { continue }
            files[place] = file
            nextPlace = place + 1
            return place
        }
        throw .tooManyOpenFilesInSystem
    }

    // MARK: Bytes

    /// RWF_DSYNC, RWF_SYNC; RWF_NOWAIT
    private static let acceptedOptions: UInt32 = 2 | 4
    private static let doesNotWait: UInt32 = 8

    private func transfer(_ request: Request) throws(Errno) -> Step {
        let entry = request.entry
        let known = Ring.acceptedOptions | Ring.doesNotWait
        guard entry.options & ~known == 0 else { throw .notSupported }
        let file = request.file!
        let address = UInt(entry.address)
        let position = entry.offset == .max ? nil : Int(bitPattern: UInt(entry.offset))
        let isRead: Bool
        switch request.operation {
        case .read, .readVector, .readFixed: isRead = true
        default: isRead = false
        }
        guard file.traits.contains(isRead ? .readable : .writable) else { throw .badDescriptor }
        var wanted = 0
        let move = { (transfer: inout Transfer) throws(Errno) -> Int in
            wanted = transfer.remaining
            return isRead
                ? try file.attemptRead(&transfer, at: position)
                : try file.attemptWrite(&transfer, at: position)
        }
        do throws(Errno) {
            let count: Int
            switch request.operation {
            case .readVector, .writeVector:
                let table = Process.current.descriptors!
                count = try table.withVector(address, Int(Int32(bitPattern: entry.length)), move)
            default:
                if request.operation == .readFixed || request.operation == .writeFixed {
                    try checkFixed(entry)
                }
                var transfer = Transfer(UserBuffer(address: address, count: Int(entry.length)))
                count = try move(&transfer)
            }
            return .done(count, isFailure: count != wanted)
        } catch {
            guard error == .wouldBlock, entry.options & Ring.doesNotWait == 0 else { throw error }
            return .waits(isRead ? .allReadable : .allWritable)
        }
    }

    /// Throws `badAddress` unless the bytes lie in the registered buffer.
    private func checkFixed(_ entry: SubmissionEntry) throws(Errno) {
        let index = Int(entry.bufferIndex)
        guard index < buffers.count else { throw .badAddress }
        let buffer = buffers[index]
        let start = UInt(entry.address)
        guard start >= buffer.address, start - buffer.address <= UInt(buffer.count),
            UInt(entry.length) <= UInt(buffer.count) - (start - buffer.address)
        else { throw .badAddress }
    }

    // MARK: Readiness

    private func poll(_ request: Request) -> Step {
        let file = request.file!
        let isFirst = !request.isListed
        let asked = PollEvents(rawValue: request.entry.options & 0x3fff)
            .union([.error, .hangUp, .readHangUp])
        let ready = file.readiness().intersection(asked)
        guard !ready.isEmpty else { return .waits(asked) }
        let result = Int(ready.rawValue)
        guard request.isMultishot, !file.reportsLevel else {
            return .done(result, isFailure: false)
        }
        if isFirst, request.interest.isEmpty {
            // What is ready already is told as if it happened now.
            request.interest = asked
            list(request)
            request.task.add(request)
            return .settled
        }
        guard postMore(request, Int32(result)) else { return .done(result, isFailure: false) }
        return .waits(asked)
    }

    private static let updatesEvents: UInt32 = 2
    private static let updatesUserData: UInt32 = 4

    private func preparePollUpdate(_ entry: SubmissionEntry) throws(Errno) {
        let flags = entry.length
        guard flags & ~7 == 0, flags != 1, flags & Ring.updatesUserData != 0 || entry.offset == 0,
            flags & Ring.updatesEvents != 0 || entry.options == 0
        else { throw .invalidArgument }
    }

    private func updatePoll(_ request: Request) throws(Errno) -> Step {
        let entry = request.entry
        guard let target = waiting({ $0.operation == .poll && $0.entry.userData == entry.address })
        else { throw .noSuchFileOrDirectory }
        guard target.outcome == nil else { throw .alreadyInProgress }
        guard entry.length != 0 else {
            cancel(target)
            return .done(0, isFailure: false)
        }
        target.stopWaiting()
        if entry.length & Ring.updatesEvents != 0 {
            target.entry.options = entry.options
            target.entry.length = entry.length & 1
        }
        if entry.length & Ring.updatesUserData != 0 { target.entry.userData = entry.offset }
        target.interest = .all
        target.task.add(target)
        return .done(0, isFailure: false)
    }

    /// The oldest request that waits and fulfils a condition.
    func waiting(_ condition: (Request) -> Bool) -> Request? {
        var cursor = firstWaiting
        while let request = cursor {
            if condition(request) { return request }
            cursor = request.next
        }
        return nil
    }
}
