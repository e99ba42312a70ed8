/// `struct sigcontext`: the registers of the program as a signal handler sees them.
public struct SignalContext: BitwiseCopyable {
    public var r8: UInt64 = 0
    public var r9: UInt64 = 0
    public var r10: UInt64 = 0
    public var r11: UInt64 = 0
    public var r12: UInt64 = 0
    public var r13: UInt64 = 0
    public var r14: UInt64 = 0
    public var r15: UInt64 = 0
    public var rdi: UInt64 = 0
    public var rsi: UInt64 = 0
    public var rbp: UInt64 = 0
    public var rbx: UInt64 = 0
    public var rdx: UInt64 = 0
    public var rax: UInt64 = 0
    public var rcx: UInt64 = 0
    public var rsp: UInt64 = 0
    public var rip: UInt64 = 0
    public var flags: UInt64 = 0
    public var codeSelector: UInt16 = 0
    public var gsSelector: UInt16 = 0
    public var fsSelector: UInt16 = 0
    public var stackSelector: UInt16 = 0
    public var error: UInt64 = 0
    public var trap: UInt64 = 0
    public var oldMask: UInt64 = 0
    public var faultAddress: UInt64 = 0
    /// Address of the vector state; zero when there is none.
    public var vectorState: UInt64 = 0
    private var reserved = InlineArray<8, UInt64>(repeating: 0)

    public init() {}
}

/// `struct ucontext` as the kernel has it.
public struct UserContext: BitwiseCopyable {
    public var flags: UInt64 = 0
    public var link: UInt64 = 0
    public var stack = SignalStack()
    public var registers = SignalContext()
    public var mask: SignalSet = []

    public init() {}

    /// UC_FP_XSTATE: the vector state is an xsave area with its own description.
    public static var hasExtendedState: UInt64 { 1 }
    /// UC_SIGCONTEXT_SS
    public static var hasStackSelector: UInt64 { 2 }
    /// UC_STRICT_RESTORE_SS
    public static var restoresStackSelector: UInt64 { 4 }
}

/// `struct rt_sigframe`: what lies at a handler's stack pointer.
public struct SignalFrame: BitwiseCopyable {
    /// Where the handler returns to: `sa_restorer`.
    public var returnAddress: UInt64 = 0
    public var context = UserContext()
    public var information = SignalInformation(signal: 0, code: 0)
    private var restOfInformation = InlineArray<10, UInt64>(repeating: 0)

    public init() {}

    public static var contextOffset: UInt64 { 8 }
    public static var informationOffset: UInt64 { 312 }
    /// Bytes below the stack pointer that belong to the interrupted function.
    public static var redZone: UInt64 { 128 }
}

/// Offsets in the vector state of a signal frame: an xsave area in the standard format.
public enum VectorState {
    public static var legacySize: Int { 512 }
    public static var headerSize: Int { 64 }
    public static var flagsOffset: Int { 24 }
    public static var flagsMaskOffset: Int { 28 }
    /// `struct _fpx_sw_bytes`
    public static var descriptionOffset: Int { 464 }
    public static var featuresOffset: Int { 512 }
    /// MXCSR of a program that starts.
    public static var initialFlags: UInt32 { 0x1f80 }
    /// Bits that MXCSR may have where the processor does not say.
    public static var defaultFlagsMask: UInt32 { 0xffbf }
    /// FP_XSTATE_MAGIC1, FP_XSTATE_MAGIC2
    public static var firstMagic: UInt32 { 0x4650_5853 }
    public static var secondMagic: UInt32 { 0x4650_5845 }
    public static var secondMagicSize: Int { 4 }
    /// x87 and SSE: what the legacy region holds.
    public static var legacyFeatures: UInt64 { 3 }
}

/// `struct _fpx_sw_bytes`: what a signal frame says of its vector state.
public struct VectorStateDescription: BitwiseCopyable {
    public var magic: UInt32
    /// Bytes of the state and the second magic.
    public var extendedSize: UInt32
    public var features: UInt64
    /// Bytes of the xsave area.
    public var size: UInt32
    private var reserved0: UInt32 = 0
    private var reserved = InlineArray<3, UInt64>(repeating: 0)

    public init(features: UInt64, size: UInt32) {
        magic = VectorState.firstMagic
        extendedSize = size + UInt32(VectorState.secondMagicSize)
        self.features = features
        self.size = size
    }
}

/// Bits of the flags register.
public enum ProcessorFlags {
    /// IF and the bit that is always one: what a program starts with.
    public static var initial: UInt64 { 0x202 }
    public static var trap: UInt64 { 0x100 }
    public static var direction: UInt64 { 0x400 }
    public static var resume: UInt64 { 0x1_0000 }
    /// What a program may set by rt_sigreturn(2): AC, OF, DF, TF, SF, ZF, AF, PF, CF, RF.
    public static var settable: UInt64 { 0x5_0dd5 }
}
