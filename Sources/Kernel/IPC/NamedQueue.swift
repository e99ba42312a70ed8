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
    var waitingReceivers = 0
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
    func wait(_ events: PollEvents, until deadline: Nanoseconds) throws(Errno) {
        guard !isNonBlocking else { throw .wouldBlock }
        let isReceiver = events == .allReadable
        if isReceiver { messages.waitingReceivers += 1 }
        defer { if isReceiver { messages.waitingReceivers -= 1 } }
        try messages.queue.wait(for: events, until: deadline)
    }
}
