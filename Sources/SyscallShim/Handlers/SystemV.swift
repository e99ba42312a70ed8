import Kernel
import LinuxABI

// The commands that all three kinds have, IPC_RMID and so on.
private let remove: UInt32 = 0
private let change: UInt32 = 1
private let status: UInt32 = 2
private let information: UInt32 = 3

/// shmget(2)
func sysGetSegment(_ key: UInt, _ size: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        Int(try SystemV.segment(key.int, size: size, flags.low, thread.process))
    }
}

/// shmat(2)
func sysAttach(_ id: UInt, _ address: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        Int(try SystemV.attach(id.int, at: UInt64(address), flags.low, thread.process))
    }
}

/// shmdt(2)
func sysDetach(_ address: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.addressSpace.detach(at: UInt64(address))
        return 0
    }
}

/// shmctl(2)
func sysControlSegment(_ id: UInt, _ command: UInt, _ pointer: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        guard command.int >= 0, id.int >= 0 else { throw .invalidArgument }
        let process = thread.process!
        switch command.low {
        case remove: try SystemV.control(id.int, .remove, process)
        case change: try SystemV.setSegment(id.int, pointer, process)
        // SHM_LOCK and SHM_UNLOCK
        case 11: try SystemV.control(id.int, .lock, process)
        case 12: try SystemV.control(id.int, .unlock, process)
        case information: return Int(try SystemV.storeSegmentLimits(isUse: false, to: pointer))
        // SHM_INFO
        case 14: return Int(try SystemV.storeSegmentLimits(isUse: true, to: pointer))
        // SHM_STAT and SHM_STAT_ANY
        case status, 13, 15:
            let found = try SystemV.storeSegment(
                id.int,
                isPlace: command.low != status,
                asAnyone: command.low == 15,
                to: pointer,
                process
            )
            return Int(found)
        default: throw .invalidArgument
        }
        return 0
    }
}

/// semget(2)
func sysGetSemaphores(_ key: UInt, _ count: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        Int(try SystemV.semaphoreSet(key.int, count: count.int, flags.low, thread.process))
    }
}

/// semtimedop(2)
func sysOperateTimed(
    _ id: UInt,
    _ list: UInt,
    _ count: UInt,
    _ timeout: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        var length: UInt64?
        if timeout != 0 {
            let time = try UserPointer<TimeSpecification>(timeout).load()
            length = time.total ?? .max
        }
        guard count <= UInt(SystemV.operationsPerCall) else { throw .argumentListTooLong }
        guard count > 0 else { throw .invalidArgument }
        let copy = try KernelBuffer(Int(count) * MemoryLayout<SemaphoreOperation>.stride)
        try UserMemory.read(copy.bytes, at: list)
        guard length != .max else { throw .invalidArgument }
        let operations = UnsafeBufferPointer(
            start: copy.bytes.baseAddress!.assumingMemoryBound(to: SemaphoreOperation.self),
            count: Int(count)
        )
        let deadline = length.map { Clock.deadline(after: $0) } ?? .never
        try SystemV.operate(id.int, operations, until: deadline, thread.process)
        return 0
    }
}

/// semop(2)
func sysOperate(_ id: UInt, _ list: UInt, _ count: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    sysOperateTimed(id, list, count, 0, 0, 0)
}

/// semctl(2)
func sysControlSemaphores(
    _ id: UInt,
    _ number: UInt,
    _ command: UInt,
    _ argument: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        guard id.int >= 0 else { throw .invalidArgument }
        let process = thread.process!
        switch command.low {
        case remove: try SystemV.removeSemaphores(id.int, process)
        case change: try SystemV.setSemaphores(id.int, argument, process)
        // GETPID, GETVAL, GETNCNT, GETZCNT
        case 11: return Int(try SystemV.answer(id.int, number.int, .process, process))
        case 12: return Int(try SystemV.answer(id.int, number.int, .value, process))
        case 14: return Int(try SystemV.answer(id.int, number.int, .waitersToGrow, process))
        case 15: return Int(try SystemV.answer(id.int, number.int, .waitersForZero, process))
        // GETALL, SETVAL, SETALL
        case 13: try SystemV.storeValues(id.int, to: argument, process)
        case 16: try SystemV.setValue(id.int, number.int, argument.int, process)
        case 17: try SystemV.loadValues(id.int, from: argument, process)
        case information: return Int(try SystemV.storeSemaphoreLimits(isUse: false, to: argument))
        // SEM_INFO
        case 19: return Int(try SystemV.storeSemaphoreLimits(isUse: true, to: argument))
        // SEM_STAT and SEM_STAT_ANY
        case status, 18, 20:
            let found = try SystemV.storeSemaphores(
                id.int,
                isPlace: command.low != status,
                asAnyone: command.low == 20,
                to: argument,
                process
            )
            return Int(found)
        default: throw .invalidArgument
        }
        return 0
    }
}

/// msgget(2)
func sysGetQueue(_ key: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        Int(try SystemV.queue(key.int, flags.low, thread.process))
    }
}

/// msgsnd(2)
func sysSendMessage(_ id: UInt, _ message: UInt, _ size: UInt, _ flags: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        let type = try UserPointer<Int>(message).load()
        let text = UserBuffer(address: message &+ 8, count: size.signed)
        try SystemV.send(id.int, type, text, flags.low, thread.process)
        return 0
    }
}

/// msgrcv(2)
func sysReceiveMessage(
    _ id: UInt,
    _ message: UInt,
    _ size: UInt,
    _ type: UInt,
    _ flags: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try SystemV.receive(
            id.int,
            into: message,
            room: size.signed,
            type.signed,
            flags.low,
            thread.process
        )
    }
}

/// msgctl(2)
func sysControlQueue(_ id: UInt, _ command: UInt, _ pointer: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        guard command.int >= 0, id.int >= 0 else { throw .invalidArgument }
        let process = thread.process!
        switch command.low {
        case remove: try SystemV.removeQueue(id.int, process)
        case change: try SystemV.setQueue(id.int, pointer, process)
        case information: return Int(try SystemV.storeQueueLimits(isUse: false, to: pointer))
        // MSG_INFO
        case 12: return Int(try SystemV.storeQueueLimits(isUse: true, to: pointer))
        // MSG_STAT and MSG_STAT_ANY
        case status, 11, 13:
            let found = try SystemV.storeQueue(
                id.int,
                isPlace: command.low != status,
                asAnyone: command.low == 13,
                to: pointer,
                process
            )
            return Int(found)
        default: throw .invalidArgument
        }
        return 0
    }
}

/// Shared memory, semaphores and message queues of System V: sysvipc(7).
let systemVRows: InlineArray<_, Row> = [
    Row(
        29,
        "shmget",
        sysGetSegment,
        .partial,
        .hexadecimal,
        .size,
        .ipcFlags,
        note: "no huge pages"
    ),
    Row(30, "shmat", sysAttach, .full, .integer, .address, .octal, result: .address),
    Row(31, "shmctl", sysControlSegment, .full, .integer, .integer, .address),
    Row(64, "semget", sysGetSemaphores, .full, .hexadecimal, .integer, .ipcFlags),
    Row(65, "semop", sysOperate, .full, .integer, .semaphoreOperations, .unsigned),
    Row(66, "semctl", sysControlSemaphores, .full, .integer, .integer, .integer, .address),
    Row(67, "shmdt", sysDetach, .full, .address),
    Row(68, "msgget", sysGetQueue, .full, .hexadecimal, .ipcFlags),
    Row(69, "msgsnd", sysSendMessage, .full, .integer, .address, .size, .ipcFlags),
    Row(70, "msgrcv", sysReceiveMessage, .full, .integer, .address, .size, .integer, .ipcFlags),
    Row(71, "msgctl", sysControlQueue, .full, .integer, .integer, .address),
    Row(
        220,
        "semtimedop",
        sysOperateTimed,
        .full,
        .integer,
        .semaphoreOperations,
        .unsigned,
        .time
    ),
]
