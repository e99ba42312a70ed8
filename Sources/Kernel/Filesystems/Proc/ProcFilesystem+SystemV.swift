import LinuxABI

/// /proc/sysvipc and its limits in /proc/sys/kernel.
extension ProcFilesystem {
    static func systemVRows() -> [GeneratedRow] {
        [
            limit("sys/fs/mqueue/msg_default", { UInt64(NamedQueues.limits.usualMessages) }) {
                NamedQueues.limits.usualMessages = Int($0)
            },
            limit("sys/fs/mqueue/msg_max", most: 65_536, { UInt64(NamedQueues.limits.messages) }) {
                NamedQueues.limits.messages = Int($0)
            },
            limit("sys/fs/mqueue/msgsize_default", { UInt64(NamedQueues.limits.usualMessage) }) {
                NamedQueues.limits.usualMessage = Int($0)
            },
            limit(
                "sys/fs/mqueue/msgsize_max",
                most: 16 << 20,
                { UInt64(NamedQueues.limits.message) }
            ) {
                NamedQueues.limits.message = Int($0)
            },
            limit("sys/fs/mqueue/queues_max", { UInt64(NamedQueues.limits.queues) }) {
                NamedQueues.limits.queues = Int($0)
            },
            limit("sys/kernel/msgmax", { UInt64(SystemV.limits.messageSize) }) {
                SystemV.limits.messageSize = Int($0)
            },
            limit("sys/kernel/msgmnb", { UInt64(SystemV.limits.queueSize) }) {
                SystemV.limits.queueSize = Int($0)
            },
            limit("sys/kernel/msgmni", most: 32_768, { UInt64(SystemV.limits.queueCount) }) {
                SystemV.limits.queueCount = Int($0)
            },
            GeneratedRow("sys/kernel/sem", 0o644, .writable(semaphoreLimits, setSemaphoreLimits)),
            limit("sys/kernel/shmall", most: .max, { UInt64(SystemV.limits.segmentPages) }) {
                SystemV.limits.segmentPages = UInt($0)
            },
            limit("sys/kernel/shmmax", most: .max, { UInt64(SystemV.limits.segmentSize) }) {
                SystemV.limits.segmentSize = UInt($0)
            },
            limit("sys/kernel/shmmni", most: 32_768, { UInt64(SystemV.limits.segmentCount) }) {
                SystemV.limits.segmentCount = Int($0)
            },
            GeneratedRow("sysvipc/msg", 0o444, queues), GeneratedRow("sysvipc/sem", 0o444, sets),
            GeneratedRow("sysvipc/shm", 0o444, segments),
        ]
    }

    private static func semaphoreLimits(_ text: inout TextBuffer, _ process: Process) {
        let limits = SystemV.limits
        text.append(limits.semaphoresPerSet)
        text.append("\t")
        text.append(limits.semaphoreCount)
        text.append("\t")
        text.append(limits.operationsPerCall)
        text.append("\t")
        text.append(limits.setCount)
        text.append("\n")
    }

    private static func setSemaphoreLimits(_ bytes: UnsafeRawBufferPointer, _ process: Process)
        throws(Errno)
    {
        guard process.credentials.effectiveUser == 0 else { throw .notPermitted }
        var rest = bytes[...]
        var values: InlineArray<4, Int> = [0, 0, 0, 0]
        for index in 0..<4 {
            while let byte = rest.first, byte == 0x20 || byte == 9 { rest.removeFirst() }
            let word = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
            values[index] = Int(
                try decimal(UnsafeRawBufferPointer(rebasing: word), most: UInt64(Int32.max))
            )
            rest = rest[word.endIndex...]
        }
        // SEMOPM bounds a list that the kernel copies.
        guard values[0] <= 65_536, values[2] <= 65_536, values[3] <= 32_768 else {
            throw .invalidArgument
        }
        SystemV.limits.semaphoresPerSet = values[0]
        SystemV.limits.semaphoreCount = values[1]
        SystemV.limits.operationsPerCall = values[2]
        SystemV.limits.setCount = values[3]
    }

    /// A number in a column, after a blank.
    private static func pad(_ number: UInt64, _ width: Int, _ text: inout TextBuffer) {
        text.append(" ")
        text.append(number, width: width, padding: 0x20)
    }

    /// Key, number and permissions.
    private static func begin(_ object: IPCObject, _ text: inout TextBuffer) {
        var key = TextBuffer()
        key.append(object.key)
        for _ in 0..<max(0, 10 - key.bytes.count) { text.append(" ") }
        text.append(key.bytes)
        pad(UInt64(object.id), 10, &text)
        text.append("  ")
        let mode = UInt64(object.permissions | object.stateBits)
        text.append(mode, base: 8, width: 4, padding: 0x20)
    }

    private static func owners(_ object: IPCObject, _ text: inout TextBuffer) {
        pad(UInt64(object.user), 5, &text)
        pad(UInt64(object.group), 5, &text)
        pad(UInt64(object.creatorUser), 5, &text)
        pad(UInt64(object.creatorGroup), 5, &text)
    }

    private static func times(_ times: [Int64], _ text: inout TextBuffer) {
        for time in times { pad(UInt64(max(time, 0)), 10, &text) }
    }

    private static func segments(_ text: inout TextBuffer, _ process: Process) {
        text.append(
            "       key      shmid perms                  size  cpid  lpid nattch   uid   gid"
        )
        text.append("  cuid  cgid      atime      dtime      ctime                   rss")
        text.append("                  swap\n")
        for place in 0..<SystemV.segments.end {
            guard let object = SystemV.segments.object(inPlace: place) else { continue }
            let segment = unsafeDowncast(object, to: SharedSegment.self)
            begin(segment, &text)
            pad(UInt64(segment.size), 21, &text)
            pad(UInt64(segment.creator), 5, &text)
            pad(UInt64(segment.lastUser), 5, &text)
            text.append(" ")
            pad(UInt64(segment.mappedRegions), 5, &text)
            owners(segment, &text)
            times([segment.attachTime, segment.detachTime, segment.changeTime], &text)
            pad(UInt64(segment.pages) << 12, 21, &text)
            pad(0, 21, &text)
            text.append("\n")
        }
    }

    private static func sets(_ text: inout TextBuffer, _ process: Process) {
        text.append("       key      semid perms      nsems   uid   gid  cuid  cgid      otime")
        text.append("      ctime\n")
        for place in 0..<SystemV.semaphores.end {
            guard let object = SystemV.semaphores.object(inPlace: place) else { continue }
            let set = unsafeDowncast(object, to: SemaphoreSet.self)
            begin(set, &text)
            pad(UInt64(set.count), 10, &text)
            owners(set, &text)
            times([set.operationTime, set.changeTime], &text)
            text.append("\n")
        }
    }

    private static func queues(_ text: inout TextBuffer, _ process: Process) {
        text.append("       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid")
        text.append("  cuid  cgid      stime      rtime      ctime\n")
        for place in 0..<SystemV.queues.end {
            guard let object = SystemV.queues.object(inPlace: place) else { continue }
            let queue = unsafeDowncast(object, to: MessageQueue.self)
            begin(queue, &text)
            text.append(" ")
            pad(UInt64(queue.size), 10, &text)
            pad(UInt64(queue.messageCount), 10, &text)
            pad(UInt64(queue.lastSender), 5, &text)
            pad(UInt64(queue.lastReceiver), 5, &text)
            owners(queue, &text)
            times([queue.sendTime, queue.receiveTime, queue.changeTime], &text)
            text.append("\n")
        }
    }
}
