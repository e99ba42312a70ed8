import LinuxABI
import Platform

/// A System V message queue: msgget(2).
///
/// A message goes straight to the first receiver that waits for such a one.
final class MessageQueue: IPCObject {
    /// A message; its text follows it.
    private struct Message {
        var next: UnsafeMutablePointer<Message>?
        var type: Int
        var size: Int
    }

    private var first: UnsafeMutablePointer<Message>?
    private var last: UnsafeMutablePointer<Message>?
    private(set) var messageCount = 0
    /// Bytes of all messages.
    private(set) var size = 0
    var largestSize: Int
    private(set) var sendTime: Int64 = 0
    private(set) var receiveTime: Int64 = 0
    private(set) var lastSender: Int32 = 0
    private(set) var lastReceiver: Int32 = 0
    /// Senders that wait for room.
    private let senders = WaitQueue()
    private var firstReceiver: Unmanaged<MessageReceiver>?

    override init(key: Int32, permissions: UInt32, _ process: Process) {
        largestSize = SystemV.limits.queueSize
        super.init(key: key, permissions: permissions, process)
    }

    deinit {
        while let message = first {
            first = message.pointee.next
            KernelBuffer.free(message)
        }
    }

    // MARK: Sending

    /// As msgsnd(2); the text is the kernel's copy. Throws `wouldBlock`, `interrupted`,
    /// `identifierRemoved`, `noMemory`.
    func send(_ type: Int, _ text: UnsafeRawBufferPointer, waits: Bool, _ process: Process)
        throws(Errno)
    {
        let memory = try KernelBuffer.allocate(MemoryLayout<Message>.size + text.count)
        let message = memory.assumingMemoryBound(to: Message.self)
        message.initialize(to: Message(next: nil, type: type, size: text.count))
        UnsafeMutableRawBufferPointer(start: memory + MemoryLayout<Message>.size, count: text.count)
            .copyMemory(from: text)
        do throws(Errno) {
            try waitForRoom(text.count, waits, process)
        } catch {
            KernelBuffer.free(message)
            throw error
        }
        lastSender = process.id
        sendTime = IPCObject.now()
        if handOver(message) { return }
        if let last { last.pointee.next = message } else { first = message }
        last = message
        messageCount += 1
        size += text.count
    }

    private func waitForRoom(_ count: Int, _ waits: Bool, _ process: Process) throws(Errno) {
        while true {
            try require(0o222, process)
            if size + count <= largestSize, messageCount + 1 <= largestSize { return }
            guard waits else { throw .wouldBlock }
            try senders.wait()
            guard !isRemoved else { throw .identifierRemoved }
        }
    }

    /// Gives a message to who waits for it; those for whom it is too long learn that.
    private func handOver(_ message: UnsafeMutablePointer<Message>) -> Bool {
        var cursor = firstReceiver
        while let receiver = cursor?.takeUnretainedValue() {
            cursor = receiver.next
            guard receiver.request.accepts(message.pointee.type) else { continue }
            guard receiver.request.hasRoom(for: message.pointee.size) else {
                finish(receiver, .argumentListTooLong)
                continue
            }
            receiver.message = UnsafeMutableRawPointer(message)
            lastReceiver = receiver.process
            receiveTime = IPCObject.now()
            finish(receiver, nil)
            return true
        }
        return false
    }

    // MARK: Receiving

    /// What a receiver wants, as msgrcv(2) has it.
    struct Request {
        var type: Int
        /// Bytes that it has room for.
        var room: Int
        var flags: UInt32

        /// MSG_NOERROR: cuts what is too long.
        var cuts: Bool { flags & 0o10000 != 0 }
        /// MSG_EXCEPT
        var isExcept: Bool { flags & 0o20000 != 0 }
        /// MSG_COPY: the type is a position, and the message stays.
        var isCopy: Bool { flags & 0o40000 != 0 }
        /// IPC_NOWAIT
        var waits: Bool { flags & 0o4000 == 0 }

        func accepts(_ found: Int) -> Bool {
            if type == 0 { return true }
            if type < 0 { return found <= (type == .min ? .max : -type) }
            return (found == type) != isExcept
        }

        func hasRoom(for size: Int) -> Bool { cuts || size <= room }
    }

    /// As msgrcv(2): `body` takes the type and the text, of which it gives as much as there is room for.
    /// Throws `noMessage`, `argumentListTooLong`, `interrupted`, `identifierRemoved`.
    func receive(
        _ request: Request,
        _ process: Process,
        _ body: (Int, UnsafeRawBufferPointer) throws(Errno) -> Void
    ) throws(Errno) {
        try require(0o444, process)
        if let (before, message) = find(request) {
            guard request.hasRoom(for: message.pointee.size) else { throw .argumentListTooLong }
            guard !request.isCopy else { return try MessageQueue.give(message, request, body) }
            takeOut(message, after: before)
            lastReceiver = process.id
            receiveTime = IPCObject.now()
            senders.wake()
            defer { KernelBuffer.free(message) }
            return try MessageQueue.give(message, request, body)
        }
        guard request.waits else { throw .noMessage }
        let receiver = MessageReceiver(request, process.id)
        try wait(receiver)
        let message = receiver.message!.assumingMemoryBound(to: Message.self)
        defer { KernelBuffer.free(message) }
        try MessageQueue.give(message, request, body)
    }

    private static func give(
        _ message: UnsafeMutablePointer<Message>,
        _ request: Request,
        _ body: (Int, UnsafeRawBufferPointer) throws(Errno) -> Void
    ) throws(Errno) {
        let count = min(message.pointee.size, request.room)
        let text = UnsafeRawBufferPointer(start: message + 1, count: count)
        try body(message.pointee.type, text)
    }

    /// The message that is meant, and the one before it.
    private func find(_ request: Request)
        -> (UnsafeMutablePointer<Message>?, UnsafeMutablePointer<Message>)?
    {
        var found: (UnsafeMutablePointer<Message>?, UnsafeMutablePointer<Message>)?
        var before: UnsafeMutablePointer<Message>?
        var cursor = first
        var position = 0
        while let message = cursor {
            if request.isCopy {
                if position == request.type { return (before, message) }
            } else if request.accepts(message.pointee.type) {
                guard request.type < 0 else { return (before, message) }
                // The lowest type, and of that the oldest.
                if message.pointee.type < found?.1.pointee.type ?? .max {
                    found = (before, message)
                }
                if found == nil { found = (before, message) }
            }
            position += 1
            before = message
            cursor = message.pointee.next
        }
        return found
    }

    private func takeOut(
        _ message: UnsafeMutablePointer<Message>,
        after before: UnsafeMutablePointer<Message>?
    ) {
        if let before {
            before.pointee.next = message.pointee.next
        } else {
            first = message.pointee.next
        }
        if last == message { last = before }
        messageCount -= 1
        size -= message.pointee.size
    }

    private func wait(_ receiver: MessageReceiver) throws(Errno) {
        let entry = Unmanaged.passUnretained(receiver)
        if firstReceiver == nil {
            firstReceiver = entry
        } else {
            var tail = firstReceiver!.takeUnretainedValue()
            while let next = tail.next?.takeUnretainedValue() { tail = next }
            tail.next = entry
        }
        while !receiver.isDone {
            do throws(Errno) { try receiver.queue.wait() } catch {
                guard !receiver.isDone else { break }
                remove(receiver)
                throw error
            }
        }
        if let failure = receiver.failure { throw failure }
    }

    private func remove(_ receiver: MessageReceiver) {
        let entry = Unmanaged.passUnretained(receiver).toOpaque()
        if firstReceiver?.toOpaque() == entry {
            firstReceiver = receiver.next
            return
        }
        var cursor = firstReceiver
        while let other = cursor?.takeUnretainedValue() {
            if other.next?.toOpaque() == entry { other.next = receiver.next }
            cursor = other.next
        }
    }

    private func finish(_ receiver: MessageReceiver, _ failure: Errno?) {
        remove(receiver)
        receiver.failure = failure
        receiver.isDone = true
        receiver.queue.wake()
    }

    // MARK: Control

    /// As IPC_SET, whose new limit may let senders go on.
    func take(_ status: Status) {
        take(status.permissions)
        largestSize = Int(clamping: status.largestSize)
        senders.wake()
    }

    /// Ends everybody's wait: the queue is gone.
    func dismiss() {
        while let receiver = firstReceiver?.takeUnretainedValue() {
            finish(receiver, .identifierRemoved)
        }
        senders.wake()
    }

    /// `struct msqid64_ds`
    struct Status: BitwiseCopyable {
        var permissions: IPCStatus
        var sendTime: Int64
        var receiveTime: Int64
        var changeTime: Int64
        var size: UInt64
        var count: UInt64
        var largestSize: UInt64
        var lastSender: Int32
        var lastReceiver: Int32
        var unused: (UInt64, UInt64) = (0, 0)
    }

    var queueStatus: Status {
        Status(
            permissions: status,
            sendTime: sendTime,
            receiveTime: receiveTime,
            changeTime: changeTime,
            size: UInt64(size),
            count: UInt64(messageCount),
            largestSize: UInt64(largestSize),
            lastSender: lastSender,
            lastReceiver: lastReceiver
        )
    }
}

/// A thread that waits for a message.
private final class MessageReceiver {
    let request: MessageQueue.Request
    let process: Int32
    let queue = WaitQueue()
    var isDone = false
    var failure: Errno?
    /// What it was given.
    var message: UnsafeMutableRawPointer?
    var next: Unmanaged<MessageReceiver>?

    init(_ request: MessageQueue.Request, _ process: Int32) {
        self.request = request
        self.process = process
    }
}
