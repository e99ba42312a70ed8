import LinuxABI

/// semget(2), semop(2), semctl(2).
extension SystemV {
    /// As semget(2).
    public static func semaphoreSet(
        _ key: Int32,
        count: Int32,
        _ flags: UInt32,
        _ process: Process
    ) throws(Errno) -> Int32 {
        guard count >= 0, Int(count) <= limits.semaphoresPerSet else { throw .invalidArgument }
        if let found = try find(semaphores, key, flags) {
            let set = unsafeDowncast(found, to: SemaphoreSet.self)
            guard Int(count) <= set.count else { throw .invalidArgument }
            try set.require(flags, process)
            return set.id
        }
        guard count > 0 else { throw .invalidArgument }
        guard Int(count) <= limits.semaphoreCount - SemaphoreSet.total else { throw .noSpace }
        let set = try SemaphoreSet(
            key: key,
            count: Int(count),
            permissions: flags,
            process
        )
        try semaphores.insert(set, limit: limits.setCount)
        return set.id
    }

    private static func set(_ id: Int32) throws(Errno) -> SemaphoreSet {
        unsafeDowncast(try semaphores.object(id), to: SemaphoreSet.self)
    }

    /// SEMOPM
    public static var operationsPerCall: Int { limits.operationsPerCall }

    /// As semtimedop(2); the list is the kernel's copy.
    public static func operate(
        _ id: Int32,
        _ operations: UnsafeBufferPointer<SemaphoreOperation>,
        until deadline: Nanoseconds,
        _ process: Process
    ) throws(Errno) {
        guard id >= 0 else { throw .invalidArgument }
        let set = try set(id)
        var alters = false
        for operation in operations {
            guard Int(operation.number) < set.count else { throw .fileTooLarge }
            if operation.change != 0 { alters = true }
        }
        try set.require(alters ? 0o222 : 0o444, process)
        try set.operate(operations, until: deadline, process)
    }

    /// What semctl(2) asks of one semaphore.
    public enum SemaphoreQuestion {
        case value, process, waitersToGrow, waitersForZero
    }

    public static func answer(
        _ id: Int32,
        _ number: Int32,
        _ question: SemaphoreQuestion,
        _ process: Process
    ) throws(Errno) -> Int32 {
        let set = try set(id)
        try set.require(0o444, process)
        guard number >= 0, Int(number) < set.count else { throw .invalidArgument }
        let place = Int(number)
        switch question {
        case .value: return set[place].value
        case .process: return set[place].process
        case .waitersToGrow: return Int32(set.waiterCount(place, forZero: false))
        case .waitersForZero: return Int32(set.waiterCount(place, forZero: true))
        }
    }

    /// As SETVAL.
    public static func setValue(_ id: Int32, _ number: Int32, _ value: Int32, _ process: Process)
        throws(Errno)
    {
        guard value >= 0, value <= SemaphoreSet.largestValue else { throw .outOfRange }
        let set = try set(id)
        guard number >= 0, Int(number) < set.count else { throw .invalidArgument }
        try set.require(0o222, process)
        set.set(Int(number)..<Int(number) + 1, process) { _ in value }
    }

    /// As GETALL: 16 bits each.
    public static func storeValues(_ id: Int32, to pointer: UInt, _ process: Process)
        throws(Errno)
    {
        let set = try set(id)
        try set.require(0o444, process)
        let buffer = try KernelBuffer(set.count * 2)
        for number in 0..<set.count {
            buffer.bytes.storeBytes(
                of: UInt16(set[number].value),
                toByteOffset: number * 2,
                as: UInt16.self
            )
        }
        try UserMemory.write(UnsafeRawBufferPointer(buffer.bytes), at: pointer)
    }

    /// As SETALL.
    public static func loadValues(_ id: Int32, from pointer: UInt, _ process: Process)
        throws(Errno)
    {
        let set = try set(id)
        try set.require(0o222, process)
        let buffer = try KernelBuffer(set.count * 2)
        try UserMemory.read(buffer.bytes, at: pointer)
        let bytes = UnsafeRawBufferPointer(buffer.bytes)
        func value(_ number: Int) -> Int32 {
            Int32(bytes.load(fromByteOffset: number * 2, as: UInt16.self))
        }
        for number in 0..<set.count where value(number) > SemaphoreSet.largestValue {
            throw .outOfRange
        }
        set.set(0..<set.count, process, value)
    }

    /// As IPC_RMID.
    public static func removeSemaphores(_ id: Int32, _ process: Process) throws(Errno) {
        let set = try set(id)
        try set.requireOwner(process)
        semaphores.remove(set)
        set.dismiss()
    }

    /// As IPC_SET.
    public static func setSemaphores(_ id: Int32, _ pointer: UInt, _ process: Process)
        throws(Errno)
    {
        let status = try UserPointer<IPCStatus>(pointer).load()
        let set = try set(id)
        try set.requireOwner(process)
        set.take(status)
    }

    /// As IPC_STAT, and with a place in the table SEM_STAT and SEM_STAT_ANY. Returns the number.
    public static func storeSemaphores(
        _ id: Int32,
        isPlace: Bool,
        asAnyone: Bool,
        to pointer: UInt,
        _ process: Process
    ) throws(Errno) -> Int32 {
        let object = isPlace ? semaphores.object(inPlace: Int(id)) : try semaphores.object(id)
        guard let object else { throw .invalidArgument }
        if !asAnyone { try object.require(0o444, process) }
        let set = unsafeDowncast(object, to: SemaphoreSet.self)
        try UserPointer<SemaphoreSet.Status>(pointer).store(set.setStatus)
        return isPlace ? set.id : 0
    }

    /// As SEM_INFO and IPC_INFO: `struct seminfo`. Returns the highest place that is taken.
    public static func storeSemaphoreLimits(isUse: Bool, to pointer: UInt) throws(Errno) -> Int32 {
        let all = Int32(clamping: limits.semaphoreCount)
        let largest = SemaphoreSet.largestValue
        let used = isUse ? Int32(semaphores.count) : 20
        let record: InlineArray<10, Int32> = [
            all, Int32(limits.setCount), all, all, Int32(limits.semaphoresPerSet),
            Int32(limits.operationsPerCall), Int32(limits.operationsPerCall), used, largest,
            isUse ? Int32(SemaphoreSet.total) : largest,
        ]
        try UserPointer<InlineArray<10, Int32>>(pointer).store(record)
        return Int32(max(semaphores.end - 1, 0))
    }
}
