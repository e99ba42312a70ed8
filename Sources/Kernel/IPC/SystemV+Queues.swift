import LinuxABI

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
