/// Flags of mmap(2).
public struct MappingFlags: OptionSet, Sendable {
    public let rawValue: UInt32

    @inlinable @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// MAP_SHARED
    public static var shared: MappingFlags { MappingFlags(rawValue: 0x01) }
    /// MAP_PRIVATE
    public static var `private`: MappingFlags { MappingFlags(rawValue: 0x02) }
    /// MAP_SHARED_VALIDATE, a value of the type and not a bit.
    public static var sharedValidate: MappingFlags { MappingFlags(rawValue: 0x03) }
    /// MAP_TYPE
    public static var type: MappingFlags { MappingFlags(rawValue: 0x0f) }
    /// MAP_FIXED
    public static var fixed: MappingFlags { MappingFlags(rawValue: 0x10) }
    /// MAP_ANONYMOUS
    public static var anonymous: MappingFlags { MappingFlags(rawValue: 0x20) }
    /// MAP_32BIT
    public static var low: MappingFlags { MappingFlags(rawValue: 0x40) }
    /// MAP_GROWSDOWN
    public static var growsDown: MappingFlags { MappingFlags(rawValue: 0x100) }
    /// MAP_DENYWRITE, which Linux ignores.
    public static var denyWrite: MappingFlags { MappingFlags(rawValue: 0x800) }
    /// MAP_EXECUTABLE, which Linux ignores.
    public static var executable: MappingFlags { MappingFlags(rawValue: 0x1000) }
    /// MAP_LOCKED
    public static var locked: MappingFlags { MappingFlags(rawValue: 0x2000) }
    /// MAP_NORESERVE
    public static var withoutReserve: MappingFlags { MappingFlags(rawValue: 0x4000) }
    /// MAP_POPULATE
    public static var populate: MappingFlags { MappingFlags(rawValue: 0x8000) }
    /// MAP_NONBLOCK
    public static var nonBlocking: MappingFlags { MappingFlags(rawValue: 0x1_0000) }
    /// MAP_STACK, which Linux ignores.
    public static var stack: MappingFlags { MappingFlags(rawValue: 0x2_0000) }
    /// MAP_HUGETLB
    public static var hugePages: MappingFlags { MappingFlags(rawValue: 0x4_0000) }
    /// MAP_SYNC
    public static var synchronous: MappingFlags { MappingFlags(rawValue: 0x8_0000) }
    /// MAP_FIXED_NOREPLACE
    public static var fixedWithoutReplacing: MappingFlags { MappingFlags(rawValue: 0x10_0000) }

    /// What MAP_SHARED_VALIDATE accepts: LEGACY_MAP_MASK.
    public static var validated: MappingFlags {
        [
            .type, .fixed, .anonymous, .denyWrite, .executable, .growsDown, .locked,
            .withoutReserve, .populate, .nonBlocking, .stack, .hugePages, .low,
            MappingFlags(rawValue: 0x400_0000), MappingFlags(rawValue: 63 << 26),
        ]
    }
}

/// Flags of mremap(2).
public struct RemapFlags: OptionSet, Sendable {
    public let rawValue: UInt32

    @inlinable @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// MREMAP_MAYMOVE
    public static var mayMove: RemapFlags { RemapFlags(rawValue: 1) }
    /// MREMAP_FIXED
    public static var fixed: RemapFlags { RemapFlags(rawValue: 2) }
    /// MREMAP_DONTUNMAP
    public static var keepsOld: RemapFlags { RemapFlags(rawValue: 4) }
    public static var all: RemapFlags { [.mayMove, .fixed, .keepsOld] }
}

/// Bits of mprotect(2)'s protection besides read, write and execute.
public enum ProtectionBits {
    public static var accesses: UInt32 { 7 }
    /// PROT_SEM, which Linux accepts and ignores.
    public static var semaphore: UInt32 { 8 }
    /// PROT_GROWSDOWN
    public static var growsDown: UInt32 { 0x100_0000 }
    /// PROT_GROWSUP
    public static var growsUp: UInt32 { 0x200_0000 }
}

/// The advice of madvise(2).
public enum MemoryAdvice: UInt32, Sendable {
    case normal = 0
    case random = 1
    case sequential = 2
    case willNeed = 3
    case dontNeed = 4
    case free = 8
    case remove = 9
    case dontFork = 10
    case doFork = 11
    case mergeable = 12
    case unmergeable = 13
    case hugePage = 14
    case noHugePage = 15
    case dontDump = 16
    case doDump = 17
    case wipeOnFork = 18
    case keepOnFork = 19
    case cold = 20
    case pageOut = 21
    case populateRead = 22
    case populateWrite = 23
    case dontNeedLocked = 24
    case collapse = 25
}

/// Flags of msync(2).
public struct SynchronizeFlags: OptionSet, Sendable {
    public let rawValue: UInt32

    @inlinable @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// MS_ASYNC
    public static var asynchronous: SynchronizeFlags { SynchronizeFlags(rawValue: 1) }
    /// MS_INVALIDATE
    public static var invalidate: SynchronizeFlags { SynchronizeFlags(rawValue: 2) }
    /// MS_SYNC
    public static var synchronous: SynchronizeFlags { SynchronizeFlags(rawValue: 4) }
    public static var all: SynchronizeFlags { [.asynchronous, .invalidate, .synchronous] }
}

/// Flags of mlockall(2).
public struct LockAllFlags: OptionSet, Sendable {
    public let rawValue: UInt32

    @inlinable @inline(__always)
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// MCL_CURRENT
    public static var current: LockAllFlags { LockAllFlags(rawValue: 1) }
    /// MCL_FUTURE
    public static var future: LockAllFlags { LockAllFlags(rawValue: 2) }
    /// MCL_ONFAULT
    public static var onFault: LockAllFlags { LockAllFlags(rawValue: 4) }
    public static var all: LockAllFlags { [.current, .future, .onFault] }
}
