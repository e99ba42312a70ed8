import LinuxABI
import Platform

/// A POSIX message queue: mq_overview(7). Messages of high priority come first, and among equals the oldest.
final class NamedQueue {
    private struct Message {
        var next: UnsafeMutablePointer<Message>?
        var priority: UInt32
        var size: Int
    }

    /// MQ_PRIO_MAX
    static let priorities: UInt32 = 32_768

    let name: [UInt8]
    let user: UInt32
    let group: UInt32
    let permissions: UInt32
    let number: UInt64
    let mostMessages: Int
    let largestMessage: Int
    /// What RLIMIT_MSGQUEUE counts.
    let charge: UInt64
    private var first: UnsafeMutablePointer<Message>?
    private(set) var count = 0
    private(set) var size = 0
    /// Woken when there are fewer, or more, messages.
    let queue = WaitQueue()
    fileprivate var waitingReceivers = 0
    private(set) var notification: Notification?
    let birth = CoarseClock.now()

    /// Who is told of a message that comes into the empty queue: mq_notify(3).
    struct Notification {
        unowned(unsafe) let process: Process
        /// nil only takes the place: SIGEV_NONE.
        let signal: Signal?
        let value: UInt64
    }

    init(_ name: [UInt8], permissions: UInt32, _ size: NamedQueues.Size, _ process: Process) {
        self.name = name
        self.permissions = permissions
        user = process.credentials.fileSystemUser
        group = process.credentials.fileSystemGroup
        mostMessages = size.messages
        largestMessage = size.message
        charge = size.charge
        NamedQueues.lastNumber += 1
        number = NamedQueues.lastNumber
        NamedQueues.charged += charge
    }

    deinit {
        NamedQueues.charged -= charge
        while let message = first {
            first = message.pointee.next
            KernelBuffer.free(message)
        }
    }

    /// Adds a message, if there is room. Throws `wouldBlock`, `noMemory`, `badAddress`.
    func put(_ text: UserBuffer, _ priority: UInt32) throws(Errno) {
        let memory = try KernelBuffer.allocate(MemoryLayout<Message>.size + text.count)
        let message = memory.assumingMemoryBound(to: Message.self)
        do throws(Errno) {
            let bytes = UnsafeMutableRawBufferPointer(start: message + 1, count: text.count)
            try text.copyIn(bytes)
            guard count < mostMessages else { throw .wouldBlock }
        } catch {
            KernelBuffer.free(message)
            throw error
        }
        message.initialize(to: Message(next: nil, priority: priority, size: text.count))
        insert(message)
        count += 1
        size += text.count
        if count == 1, waitingReceivers == 0 { notify() }
        queue.wake(.allReadable)
    }

    private func insert(_ message: UnsafeMutablePointer<Message>) {
        guard var before = first, before.pointee.priority >= message.pointee.priority else {
            message.pointee.next = first
            first = message
            return
        }
        while let next = before.pointee.next, next.pointee.priority >= message.pointee.priority {
            before = next
        }
        message.pointee.next = before.pointee.next
        before.pointee.next = message
    }

    /// Takes the first message out and lends it. Throws `wouldBlock`.
    func take(_ body: (UInt32, UnsafeRawBufferPointer) throws(Errno) -> Void) throws(Errno) {
        guard let message = first else { throw .wouldBlock }
        first = message.pointee.next
        count -= 1
        size -= message.pointee.size
        queue.wake(.allWritable)
        defer { KernelBuffer.free(message) }
        try body(
            message.pointee.priority,
            UnsafeRawBufferPointer(start: message + 1, count: message.pointee.size)
        )
    }

    // MARK: Notification

    /// Throws `busy` when somebody is to be told already.
    func setNotification(_ new: Notification) throws(Errno) {
        guard notification == nil else { throw .busy }
        notification = new
    }

    /// Forgets that a process is to be told.
    func dropNotification(of process: Process) {
        if let notification, notification.process === process { self.notification = nil }
    }

    private func notify() {
        guard let notification else { return }
        self.notification = nil
        guard let signal = notification.signal else { return }
        let sender = Process.current
        let information = SignalInformation(
            signal,
            code: SignalInformation.messageQueue,
            senderProcess: sender.id,
            senderUser: sender.credentials.realUser,
            value: notification.value
        )
        // A full queue of signals loses it, as on Linux.
        _ = try? Signals.send(signal, information, to: notification.process)
    }
}

/// An open POSIX message queue.
final class NamedQueueFile: OpenFile {
    let messages: NamedQueue

    init(_ messages: NamedQueue, _ flags: OpenFlags) {
        self.messages = messages
        super.init(flags: flags)
    }

    override var waitQueue: Unmanaged<WaitQueue>? { .passUnretained(messages.queue) }

    override func readiness() -> PollEvents {
        var events: PollEvents = []
        if messages.count > 0 { events.formUnion(.allReadable) }
        if messages.count < messages.mostMessages { events.formUnion(.allWritable) }
        return events
    }

    /// What the queue holds and whom it tells, as text.
    override func read(_ transfer: inout Transfer, at position: inout Int) throws(Errno) -> Int {
        var text = TextBuffer()
        text.append("QSIZE:")
        NamedQueueFile.append(messages.size, 10, to: &text)
        let notification = messages.notification
        text.append(" NOTIFY:")
        let kind = notification == nil || notification!.signal != nil ? 0 : 1
        NamedQueueFile.append(kind, 5, to: &text)
        text.append(" SIGNO:")
        NamedQueueFile.append(Int(notification?.signal?.number ?? 0), 5, to: &text)
        text.append(" NOTIFY_PID:")
        NamedQueueFile.append(Int(notification?.process.id ?? 0), 6, to: &text)
        text.append("\n")
        let bytes = text.bytes
        guard position < bytes.count else { return 0 }
        var given = 0
        var failure: Errno? = nil
        bytes.withUnsafeBytes { bytes in
            let count = min(bytes.count - position, transfer.remaining)
            do throws(Errno) {
                given = try transfer.give(bytes.baseAddress! + position, count)
            } catch { failure = error }
        }
        if let failure { throw failure }
        position += given
        return given
    }

    private static func append(_ number: Int, _ width: Int, to text: inout TextBuffer) {
        let start = text.bytes.count
        text.append(number)
        while text.bytes.count < start + width { text.append(" ") }
    }

    override func fill(_ status: inout FileStatus) throws(Errno) {
        status.device = AnonymousFiles.queueDevice
        status.inode = messages.number
        status.mode = FileMode(.regular, permissions: messages.permissions).rawValue
        status.user = messages.user
        status.group = messages.group
        status.links = 1
        status.size = 80
        status.accessTime = messages.birth
        status.modificationTime = messages.birth
        status.changeTime = messages.birth
    }

    override func describe(into text: inout TextBuffer) {
        text.append("/")
        text.append(messages.name)
    }

    override func descriptorClosed() { messages.dropNotification(of: .current) }

    /// Waits for a change in what can be done. Throws `timedOut`, `interrupted`.
    fileprivate func wait(_ events: PollEvents, until deadline: Nanoseconds) throws(Errno) {
        guard !isNonBlocking else { throw .wouldBlock }
        let isReceiver = events == .allReadable
        if isReceiver { messages.waitingReceivers += 1 }
        defer { if isReceiver { messages.waitingReceivers -= 1 } }
        try messages.queue.wait(for: events, until: deadline)
    }
}

/// All POSIX message queues that have a name.
public enum NamedQueues {
    /// MQ_PRIO_MAX
    public static var priorities: UInt32 { NamedQueue.priorities }

    nonisolated(unsafe) private static var queues: [NamedQueue] = []
    nonisolated(unsafe) fileprivate static var lastNumber: UInt64 = 1
    nonisolated(unsafe) fileprivate static var charged: UInt64 = 0

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
