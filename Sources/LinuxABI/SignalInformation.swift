/// What is known of a signal: the part of `siginfo_t` that the kernel keeps, 48 of its 128 bytes.
public struct SignalInformation: BitwiseCopyable, Sendable {
    public var signal: Int32
    public var error: Int32
    public var code: Int32
    private var padding: Int32 = 0
    /// The union, by words.
    public var words: InlineArray<4, UInt64>

    public init(signal: Int32, code: Int32, error: Int32 = 0) {
        self.signal = signal
        self.code = code
        self.error = error
        words = InlineArray(repeating: 0)
    }

    /// Bytes of a `siginfo_t` in the program's memory; those past this struct are zero.
    public static var fullSize: Int { 128 }

    /// Sent by a process: kill(2), tgkill(2).
    public init(
        _ signal: Signal,
        code: Int32,
        senderProcess: Int32,
        senderUser: UInt32,
        value: UInt64 = 0
    ) {
        self.init(signal: signal.number, code: code)
        words[0] = UInt64(UInt32(bitPattern: senderProcess)) | UInt64(senderUser) << 32
        words[1] = value
    }

    /// Caused by a fault at `address`.
    public init(_ signal: Signal, code: Int32, address: UInt64) {
        self.init(signal: signal.number, code: code)
        words[0] = address
    }

    /// Sent by a timer of timer_create(2).
    public init(_ signal: Signal, timer: Int32, overrun: Int32, value: UInt64) {
        self.init(signal: signal.number, code: SignalInformation.timer)
        words[0] = UInt64(UInt32(bitPattern: timer)) | UInt64(UInt32(bitPattern: overrun)) << 32
        words[1] = value
    }

    /// SI_USER
    public static var user: Int32 { 0 }
    /// SI_KERNEL
    public static var kernel: Int32 { 0x80 }
    /// SI_QUEUE
    public static var queue: Int32 { -1 }
    /// SI_TIMER
    public static var timer: Int32 { -2 }
    /// SI_MESGQ
    public static var messageQueue: Int32 { -3 }
    /// SI_TKILL
    public static var threadKill: Int32 { -6 }

    /// SEGV_MAPERR
    public static var notMapped: Int32 { 1 }
    /// SEGV_ACCERR
    public static var notPermitted: Int32 { 2 }
    /// BUS_ADRALN
    public static var misaligned: Int32 { 1 }
    /// BUS_ADRERR
    public static var noSuchAddress: Int32 { 2 }
    /// ILL_ILLOPN
    public static var illegalOperand: Int32 { 2 }
    /// FPE_INTDIV
    public static var integerDivide: Int32 { 1 }
    /// TRAP_BRKPT
    public static var breakpoint: Int32 { 1 }
    /// TRAP_TRACE
    public static var trace: Int32 { 2 }

    /// FPE_FLTDIV, FPE_FLTOVF, FPE_FLTUND, FPE_FLTRES, FPE_FLTINV
    public static var floatDivide: Int32 { 3 }
    public static var floatOverflow: Int32 { 4 }
    public static var floatUnderflow: Int32 { 5 }
    public static var floatInexact: Int32 { 6 }
    public static var floatInvalid: Int32 { 7 }
}
