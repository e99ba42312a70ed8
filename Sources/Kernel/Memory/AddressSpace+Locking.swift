import LinuxABI
import Platform

/// mlock(2) and its kin. Locked pages are brought in and counted against RLIMIT_MEMLOCK; whether
/// the platform could take them away again is not in the kernel's hands.
extension AddressSpace {
    /// As mlock2(2); `isOnFault` is MLOCK_ONFAULT.
    public func lock(_ start: UInt64, length: UInt64, isOnFault: Bool = false) throws(Errno) {
        let range = try lockRange(start, length)
        guard !range.isEmpty else { return }
        try checkMayLock(newPages: unlockedPages(range))
        let end = coveredEnd(range.start, range.end)
        if end > range.start { try updateFlags(range.start, end, .locked, []) }
        guard end == range.end else { throw .noMemory }
        if !isOnFault { populate(range.start, range.end, forWriting: nil) }
    }

    /// As munlock(2).
    public func unlock(_ start: UInt64, length: UInt64) throws(Errno) {
        let range = try lockRange(start, length)
        guard !range.isEmpty else { return }
        let end = coveredEnd(range.start, range.end)
        if end > range.start { try updateFlags(range.start, end, [], .locked) }
        guard end == range.end else { throw .noMemory }
    }

    /// As mlockall(2).
    public func lockAll(_ flags: LockAllFlags) throws(Errno) {
        guard flags.isSubset(of: .all), !flags.isEmpty, flags != .onFault else {
            throw .invalidArgument
        }
        let isCurrent = flags.contains(.current)
        try checkMayLock(newPages: isCurrent ? totalPages - lockedPages : 0)
        locksNewMappings = flags.contains(.future)
        guard isCurrent else { return }
        try updateFlags(0, Layout.high.upperBound, .locked, [])
        guard !flags.contains(.onFault) else { return }
        var position = regions.first
        while !regions.isEnd(position) {
            let region = regions[position].pointee
            if !region.isKernelOwned { populate(region.start, region.end, forWriting: nil) }
            position = regions.next(position)
        }
    }

    /// As munlockall(2).
    public func unlockAll() throws(Errno) {
        locksNewMappings = false
        try updateFlags(0, Layout.high.upperBound, [], .locked)
    }

    /// These calls round the start down.
    private func lockRange(_ start: UInt64, _ length: UInt64) throws(Errno) -> PageRange {
        let inPage = start & UInt64(pageMask)
        let (sum, overflow) = length.addingReportingOverflow(inPage)
        guard !overflow else { throw .invalidArgument }
        return try PageRange(start - inPage, sum, overflow: .invalidArgument)
    }

    private func unlockedPages(_ range: PageRange) -> Int {
        var pages = 0
        forEachRegion(from: range.start, to: range.end) {
            guard !$0.pointee.isLocked, !$0.pointee.isKernelOwned else { return }
            pages += Int(
                (min($0.pointee.end, range.end) - max($0.pointee.start, range.start)) >> 12
            )
        }
        return pages
    }

    private func checkMayLock(newPages: Int) throws(Errno) {
        // CAP_IPC_LOCK, which root has.
        guard cpu_current_thread() != nil,
            Process.current.credentials.effectiveUser != 0
        else { return }
        guard AddressSpace.limit(.lockedMemory) > 0 else { throw .notPermitted }
        try checkLockLimit(newPages, or: .noMemory)
    }
}
