import LinuxABI

/// All POSIX message queues that have a name.
public enum NamedQueues {
    /// MQ_PRIO_MAX
    public static var priorities: UInt32 { NamedQueue.priorities }

    nonisolated(unsafe) private static var queues: [NamedQueue] = []
    nonisolated(unsafe) static var lastNumber: UInt64 = 1
    nonisolated(unsafe) static var charged: UInt64 = 0

    /// What /proc/sys/fs/mqueue shows and sets.
    nonisolated(unsafe) static var limits = Limits()

    struct Limits {
        var queues = 256
        var messages = 10
        var message = 8192
        var usualMessages = 10
        var usualMessage = 8192
    }

    static func stop() { queues = [] }

    static func reset() {
        queues = []
        charged = 0
        limits = Limits()
    }

    /// How much a queue may hold.
    struct Size {
        var messages: Int
        var message: Int

        /// As Linux counts it: the messages, and what keeps them.
        var charge: UInt64 {
            UInt64(messages) * 48 + UInt64(min(messages, Int(NamedQueue.priorities))) * 48
                + UInt64(messages) * UInt64(message)
        }
    }

    /// `struct mq_attr`
    public struct Attributes: BitwiseCopyable {
        public var flags: Int
        public var mostMessages: Int
        public var largestMessage: Int
        public var count: Int
        public var reserved: (Int, Int, Int, Int) = (0, 0, 0, 0)
    }

    // MARK: Names

    private static func index(_ name: UnsafeRawBufferPointer) throws(Errno) -> Int? {
        guard !name.isEmpty else { throw .noSuchFileOrDirectory }
        guard !name.contains(0x2f), !name.equals("."), !name.equals("..") else {
            throw .permissionDenied
        }
        guard name.count <= Name.longest else { throw .nameTooLong }
        return queues.firstIndex { queue in queue.name.elementsEqual(name) }
    }

    /// As mq_open(3); `attributes` are those of a queue that is made.
    public static func open(
        _ name: UnsafeRawBufferPointer,
        _ flags: OpenFlags,
        mode: UInt32,
        _ attributes: Attributes?,
        _ process: Process
    ) throws(Errno) -> FileDescriptor {
        try process.descriptors.checkRoom()
        let queue: NamedQueue
        if let index = try index(name) {
            guard !flags.isSuperset(of: [.create, .exclusive]) else { throw .fileExists }
            queue = queues[index]
            try check(queue, flags, process)
        } else {
            guard flags.contains(.create) else { throw .noSuchFileOrDirectory }
            queue = try make(name, mode, attributes, process)
        }
        let kept = flags.intersection([.writeOnly, .readWrite, .nonBlocking])
        return try process.descriptors.insert(NamedQueueFile(queue, kept), closesOnExec: true)
    }

    private static func check(_ queue: NamedQueue, _ flags: OpenFlags, _ process: Process)
        throws(Errno)
    {
        guard flags.rawValue & 3 != 3 else { throw .invalidArgument }
        let actor = Actor(process)
        guard !actor.isRoot else { return }
        let access: UInt32 = (flags.isReadable ? 4 : 0) | (flags.isWritable ? 2 : 0)
        let shift: UInt32 =
            actor.user == queue.user ? 6 : actor.isInGroup(queue.group) ? 3 : 0
        guard access & ~(queue.permissions >> shift) == 0 else { throw .permissionDenied }
    }

    private static func make(
        _ name: UnsafeRawBufferPointer,
        _ mode: UInt32,
        _ attributes: Attributes?,
        _ process: Process
    ) throws(Errno) -> NamedQueue {
        let isRoot = process.credentials.effectiveUser == 0
        guard queues.count < limits.queues || isRoot else { throw .noSpace }
        var size = Size(
            messages: min(limits.usualMessages, limits.messages),
            message: min(limits.usualMessage, limits.message)
        )
        if let attributes {
            size = Size(messages: attributes.mostMessages, message: attributes.largestMessage)
            guard size.messages > 0, size.message > 0 else { throw .invalidArgument }
            // HARD_MSGMAX and HARD_MSGSIZEMAX
            guard size.messages <= (isRoot ? 65_536 : limits.messages),
                size.message <= (isRoot ? 16 << 20 : limits.message)
            else { throw .invalidArgument }
        }
        guard charged + size.charge <= process.limits[.messageQueues].current else {
            throw .tooManyOpenFiles
        }
        let permissions = mode & ~process.paths.creationMask & 0o777
        let queue = NamedQueue(Array(name), permissions: permissions, size, process)
        queues.append(queue)
        return queue
    }

    /// As mq_unlink(3). Throws `notPermitted` for any but root and the owner.
    public static func unlink(_ name: UnsafeRawBufferPointer, _ process: Process) throws(Errno) {
        guard let index = try index(name) else { throw .noSuchFileOrDirectory }
        let user = process.credentials.fileSystemUser
        guard user == 0 || user == queues[index].user else { throw .notPermitted }
        queues.remove(at: index)
    }

    // MARK: Messages

    private static func file(_ descriptor: FileDescriptor, _ process: Process) throws(Errno)
        -> NamedQueueFile
    {
        guard let file = try process.descriptors.file(descriptor) as? NamedQueueFile else {
            throw .badDescriptor
        }
        return file
    }

    /// As mq_timedsend(3).
    public static func send(
        _ descriptor: FileDescriptor,
        _ text: UserBuffer,
        _ priority: UInt32,
        until deadline: Nanoseconds,
        _ process: Process
    ) throws(Errno) {
        let file = try file(descriptor, process)
        guard file.traits.contains(.writable) else { throw .badDescriptor }
        guard text.count >= 0, text.count <= file.messages.largestMessage else {
            throw .messageTooLong
        }
        while true {
            do throws(Errno) { return try file.messages.put(text, priority) } catch {
                guard error == .wouldBlock else { throw error }
            }
            try file.wait(.allWritable, until: deadline)
        }
    }

    /// As mq_timedreceive(3): bytes given.
    public static func receive(
        _ descriptor: FileDescriptor,
        _ buffer: UserBuffer,
        priority: UInt,
        until deadline: Nanoseconds,
        _ process: Process
    ) throws(Errno) -> Int {
        let file = try file(descriptor, process)
        guard file.traits.contains(.readable) else { throw .badDescriptor }
        guard buffer.count < 0 || buffer.count >= file.messages.largestMessage else {
            throw .messageTooLong
        }
        while file.messages.count == 0 { try file.wait(.allReadable, until: deadline) }
        var count = 0
        try file.messages.take { (found, text) throws(Errno) in
            if priority != 0 { try UserPointer<UInt32>(priority).store(found) }
            try UserMemory.write(text, at: buffer.address)
            count = text.count
        }
        return count
    }

    /// As mq_notify(3).
    public static func notify(
        _ descriptor: FileDescriptor,
        signal: Signal?,
        value: UInt64,
        _ process: Process
    ) throws(Errno) {
        let file = try file(descriptor, process)
        try file.messages.setNotification(
            NamedQueue.Notification(
                process: process,
                signal: signal,
                value: value
            )
        )
    }

    /// As mq_notify(3) with nothing to tell.
    public static func stopNotifying(_ descriptor: FileDescriptor, _ process: Process)
        throws(Errno)
    {
        try file(descriptor, process).messages.dropNotification(of: process)
    }

    /// As mq_getattr(3), and with new flags mq_setattr(3): what was before.
    public static func attributes(
        _ descriptor: FileDescriptor,
        setting flags: Int?,
        _ process: Process
    ) throws(Errno) -> Attributes {
        let nonBlocking = Int(OpenFlags.nonBlocking.rawValue)
        if let flags, flags & ~nonBlocking != 0 { throw .invalidArgument }
        let file = try file(descriptor, process)
        let before = Attributes(
            flags: file.isNonBlocking ? nonBlocking : 0,
            mostMessages: file.messages.mostMessages,
            largestMessage: file.messages.largestMessage,
            count: file.messages.count
        )
        if let flags {
            if flags == 0 {
                file.flags.remove(.nonBlocking)
            } else {
                file.flags.insert(.nonBlocking)
            }
        }
        return before
    }
}
