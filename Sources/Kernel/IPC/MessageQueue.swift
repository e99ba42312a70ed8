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

/// msgget(2), msgsnd(2), msgrcv(2), msgctl(2).
extension SystemV {
    /// As msgget(2).
    public static func queue(_ key: Int32, _ flags: UInt32, _ process: Process) throws(Errno)
        -> Int32
    {
        if let found = try find(queues, key, flags) {
            try found.require(flags, process)
            return found.id
        }
        let queue = MessageQueue(key: key, permissions: flags, process)
        try queues.insert(queue, limit: limits.queueCount)
        return queue.id
    }

    private static func queue(_ id: Int32) throws(Errno) -> MessageQueue {
        unsafeDowncast(try queues.object(id), to: MessageQueue.self)
    }

    /// As msgsnd(2).
    public static func send(
        _ id: Int32,
        _ type: Int,
        _ text: UserBuffer,
        _ flags: UInt32,
        _ process: Process
    ) throws(Errno) {
        guard text.count >= 0, text.count <= limits.messageSize, id >= 0, type >= 1 else {
            throw .invalidArgument
        }
        let copy = try KernelBuffer(text.count)
        try text.copyIn(copy.bytes)
        let queue = try queue(id)
        try queue.send(
            type,
            UnsafeRawBufferPointer(copy.bytes),
            waits: flags & 0o4000 == 0,
            process
        )
    }

    /// As msgrcv(2): how many bytes of text were given behind the type.
    public static func receive(
        _ id: Int32,
        into pointer: UInt,
        room: Int,
        _ type: Int,
        _ flags: UInt32,
        _ process: Process
    ) throws(Errno) -> Int {
        guard id >= 0, room >= 0 else { throw .invalidArgument }
        let request = MessageQueue.Request(type: type, room: room, flags: flags)
        if request.isCopy {
            guard !request.isExcept, !request.waits else { throw .invalidArgument }
        }
        var count = 0
        try queue(id).receive(request, process) { (type, text) throws(Errno) in
            try UserPointer<Int>(pointer).store(type)
            try UserMemory.write(text, at: pointer &+ 8)
            count = text.count
        }
        return count
    }

    /// As IPC_RMID.
    public static func removeQueue(_ id: Int32, _ process: Process) throws(Errno) {
        let queue = try queue(id)
        try queue.requireOwner(process)
        queues.remove(queue)
        queue.dismiss()
    }

    /// As IPC_SET.
    public static func setQueue(_ id: Int32, _ pointer: UInt, _ process: Process) throws(Errno) {
        let status = try UserPointer<MessageQueue.Status>(pointer).load()
        let queue = try queue(id)
        try queue.requireOwner(process)
        guard
            status.largestSize <= UInt64(limits.queueSize)
                || process.credentials.effectiveUser == 0
        else { throw .notPermitted }
        queue.take(status)
    }

    /// As IPC_STAT, and with a place in the table MSG_STAT and MSG_STAT_ANY. Returns the number.
    public static func storeQueue(
        _ id: Int32,
        isPlace: Bool,
        asAnyone: Bool,
        to pointer: UInt,
        _ process: Process
    ) throws(Errno) -> Int32 {
        let object = isPlace ? queues.object(inPlace: Int(id)) : try queues.object(id)
        guard let object else { throw .invalidArgument }
        if !asAnyone { try object.require(0o444, process) }
        let queue = unsafeDowncast(object, to: MessageQueue.self)
        try UserPointer<MessageQueue.Status>(pointer).store(queue.queueStatus)
        return isPlace ? queue.id : 0
    }

    /// As MSG_INFO and IPC_INFO: `struct msginfo`. Returns the highest place that is taken.
    public static func storeQueueLimits(isUse: Bool, to pointer: UInt) throws(Errno) -> Int32 {
        var messages = 0
        var bytes = 0
        for place in 0..<queues.end {
            guard let object = queues.object(inPlace: place) else { continue }
            let queue = unsafeDowncast(object, to: MessageQueue.self)
            messages += queue.messageCount
            bytes += queue.size
        }
        let count = Int32(limits.queueCount)
        let queueSize = Int32(clamping: limits.queueSize)
        // MSGSSZ, MSGSEG and their kin mean nothing any more, and have the values of Linux's headers.
        let pool = Int32(clamping: limits.queueCount * limits.queueSize / 1024)
        let record: InlineArray<8, Int32> = [
            isUse ? Int32(queues.count) : pool, isUse ? Int32(messages) : queueSize,
            Int32(limits.messageSize), queueSize, count, 16,
            isUse ? Int32(clamping: bytes) : queueSize, 0xffff,
        ]
        try UserPointer<InlineArray<8, Int32>>(pointer).store(record)
        return Int32(max(queues.end - 1, 0))
    }
}
