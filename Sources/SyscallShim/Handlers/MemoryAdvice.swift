import Kernel
import LinuxABI

/// madvise(2)
func sysAdvise(_ address: UInt, _ length: UInt, _ advice: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        guard let advice = MemoryAdvice(rawValue: advice.low) else { throw .invalidArgument }
        try thread.process.addressSpace.advise(UInt64(address), length: UInt64(length), advice)
        return 0
    }
}

/// mincore(2)
func sysResidence(_ address: UInt, _ length: UInt, _ vector: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        try thread.process.addressSpace.residence(
            UInt64(address),
            length: UInt64(length),
            into: vector
        )
        return 0
    }
}

/// msync(2)
func sysSynchronizeMapping(
    _ address: UInt,
    _ length: UInt,
    _ flags: UInt,
    _: UInt,
    _: UInt,
    _: UInt
) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.addressSpace.synchronize(
            UInt64(address),
            length: UInt64(length),
            SynchronizeFlags(rawValue: flags.low)
        )
        return 0
    }
}

/// mlock(2)
func sysLock(_ address: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.addressSpace.lock(UInt64(address), length: UInt64(length))
        return 0
    }
}

/// mlock2(2)
func sysLockOnFault(_ address: UInt, _ length: UInt, _ flags: UInt, _: UInt, _: UInt, _: UInt)
    -> Int
{
    answer { (thread) throws(Errno) in
        // MLOCK_ONFAULT is the only flag.
        guard flags.low & ~1 == 0 else { throw .invalidArgument }
        try thread.process.addressSpace.lock(
            UInt64(address),
            length: UInt64(length),
            isOnFault: flags.low == 1
        )
        return 0
    }
}

/// munlock(2)
func sysUnlock(_ address: UInt, _ length: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.addressSpace.unlock(UInt64(address), length: UInt64(length))
        return 0
    }
}

/// mlockall(2)
func sysLockAll(_ flags: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.addressSpace.lockAll(LockAllFlags(rawValue: flags.low))
        return 0
    }
}

/// munlockall(2)
func sysUnlockAll(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    answer { (thread) throws(Errno) in
        try thread.process.addressSpace.unlockAll()
        return 0
    }
}

let memoryAdviceRows: InlineArray<_, Row> = [
    Row(26, "msync", sysSynchronizeMapping, .full, .address, .size, .synchronizeFlags),
    Row(27, "mincore", sysResidence, .full, .address, .size, .address),
    Row(
        28,
        "madvise",
        sysAdvise,
        .partial,
        .address,
        .size,
        .advice,
        note: "no page merging, poisoning or collapsing; advice on reading ahead changes nothing"
    ),
    Row(
        149,
        "mlock",
        sysLock,
        .partial,
        .address,
        .size,
        note: "pages are brought in and counted; the host may still page them out"
    ),
    Row(150, "munlock", sysUnlock, .full, .address, .size),
    Row(
        151,
        "mlockall",
        sysLockAll,
        .partial,
        .lockFlags,
        note: "pages are brought in and counted; the host may still page them out"
    ),
    Row(152, "munlockall", sysUnlockAll, .full),
    Row(
        325,
        "mlock2",
        sysLockOnFault,
        .partial,
        .address,
        .size,
        .lockFlags,
        note: "pages are brought in and counted; the host may still page them out"
    ),
]
