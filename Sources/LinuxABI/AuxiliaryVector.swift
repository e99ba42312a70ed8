/// What an entry of the auxiliary vector tells, as `getauxval(3)` numbers it.
public enum AuxiliaryKey: UInt64, Sendable {
    /// AT_NULL: the end of the vector.
    case null = 0
    /// AT_PHDR: address of the program headers.
    case programHeaders = 3
    /// AT_PHENT: size of one program header.
    case programHeaderSize = 4
    /// AT_PHNUM: number of program headers.
    case programHeaderCount = 5
    /// AT_PAGESZ
    case pageSize = 6
    /// AT_BASE: where the interpreter was loaded, zero without one.
    case interpreterBase = 7
    /// AT_FLAGS
    case flags = 8
    /// AT_ENTRY: the program's entry, also when an interpreter starts first.
    case entry = 9
    /// AT_UID
    case userID = 11
    /// AT_EUID
    case effectiveUserID = 12
    /// AT_GID
    case groupID = 13
    /// AT_EGID
    case effectiveGroupID = 14
    /// AT_PLATFORM: address of a string, "x86_64".
    case platform = 15
    /// AT_HWCAP: CPUID leaf 1, EDX.
    case hardwareCapabilities = 16
    /// AT_CLKTCK: ticks a second of `times(2)`.
    case clockTicks = 17
    /// AT_SECURE
    case secure = 23
    /// AT_RANDOM: address of 16 random bytes.
    case random = 25
    /// AT_HWCAP2: bit 1 says that FSGSBASE instructions may be used.
    case hardwareCapabilities2 = 26
    /// AT_EXECFN: address of the path that was executed.
    case executablePath = 31
    /// AT_SYSINFO_EHDR: address of the vDSO image.
    case vdsoHeader = 33
    /// AT_MINSIGSTKSZ: bytes that a signal frame needs.
    case minimumSignalStack = 51
}
