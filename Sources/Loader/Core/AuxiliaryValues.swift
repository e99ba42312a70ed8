import LinuxABI

/// The values of the auxiliary vector that do not follow from the stack itself.
public struct AuxiliaryValues: Sendable {
    /// AT_SYSINFO_EHDR; zero leaves the entry out.
    public var vdsoHeader: UInt64 = 0
    /// AT_MINSIGSTKSZ: what a signal frame with this machine's vector state needs.
    public var minimumSignalStack: UInt64 = 2048
    /// AT_HWCAP: CPUID leaf 1, EDX.
    public var hardwareCapabilities: UInt64 = 0
    /// AT_HWCAP2
    public var hardwareCapabilities2: UInt64 = 0
    /// AT_PHDR
    public var programHeaders: UInt64
    /// AT_PHNUM
    public var programHeaderCount: UInt64
    /// AT_BASE; zero without an interpreter.
    public var interpreterBase: UInt64 = 0
    /// AT_ENTRY: the program's own, also when the interpreter starts first.
    public var entry: UInt64
    public var userID: UInt32 = 0
    public var effectiveUserID: UInt32 = 0
    public var groupID: UInt32 = 0
    public var effectiveGroupID: UInt32 = 0
    /// AT_SECURE
    public var isSecure = false
    /// What AT_RANDOM points to: 16 bytes from the kernel's generator.
    public var random: (UInt64, UInt64)

    /// Values for a planned program, and its interpreter where there is one.
    public init(program: LoadPlan, interpreter: LoadPlan?, random: (UInt64, UInt64)) {
        programHeaders = program.programHeaderAddress
        programHeaderCount = UInt64(program.programHeaderCount)
        interpreterBase = interpreter?.bias ?? 0
        entry = program.entry
        self.random = random
    }
}
