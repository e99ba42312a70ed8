/// A signal's number, 1 to 64: signal(7).
public struct Signal: RawRepresentable, Equatable, Sendable {
    public let rawValue: UInt8

    @inline(__always)
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `nil` for what is no signal's number.
    @inline(__always)
    public init?(number: Int) {
        guard number >= 1, number <= Signal.highest else { return nil }
        rawValue = UInt8(truncatingIfNeeded: number)
    }

    public var number: Int32 { Int32(rawValue) }

    /// _NSIG
    public static var highest: Int { 64 }
    /// SIGRTMIN as the kernel sees it; real-time signals queue.
    public static var firstRealTime: UInt8 { 32 }

    public var isRealTime: Bool { rawValue >= Signal.firstRealTime }

    public static var hangUp: Signal { Signal(rawValue: 1) }
    public static var interrupt: Signal { Signal(rawValue: 2) }
    public static var quit: Signal { Signal(rawValue: 3) }
    public static var illegalInstruction: Signal { Signal(rawValue: 4) }
    public static var trap: Signal { Signal(rawValue: 5) }
    public static var abort: Signal { Signal(rawValue: 6) }
    public static var bus: Signal { Signal(rawValue: 7) }
    public static var floatingPoint: Signal { Signal(rawValue: 8) }
    public static var kill: Signal { Signal(rawValue: 9) }
    public static var segmentationFault: Signal { Signal(rawValue: 11) }
    public static var brokenPipe: Signal { Signal(rawValue: 13) }
    public static var alarm: Signal { Signal(rawValue: 14) }
    public static var terminate: Signal { Signal(rawValue: 15) }
    public static var child: Signal { Signal(rawValue: 17) }
    public static var `continue`: Signal { Signal(rawValue: 18) }
    public static var stop: Signal { Signal(rawValue: 19) }
    public static var terminalStop: Signal { Signal(rawValue: 20) }
    public static var terminalInput: Signal { Signal(rawValue: 21) }
    public static var terminalOutput: Signal { Signal(rawValue: 22) }
    public static var urgent: Signal { Signal(rawValue: 23) }
    public static var processorTime: Signal { Signal(rawValue: 24) }
    public static var fileSize: Signal { Signal(rawValue: 25) }
    public static var virtualAlarm: Signal { Signal(rawValue: 26) }
    public static var profiling: Signal { Signal(rawValue: 27) }
    public static var windowChange: Signal { Signal(rawValue: 28) }
    /// SIGIO
    public static var inputOutput: Signal { Signal(rawValue: 29) }
    public static var badSystemCall: Signal { Signal(rawValue: 31) }
}

/// A set of signals, as the kernel's `sigset_t`: bit n - 1 is signal n.
public struct SignalSet: OptionSet, BitwiseCopyable, Sendable {
    public var rawValue: UInt64

    @inline(__always)
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    @inline(__always)
    public init(_ signal: Signal) { rawValue = 1 << UInt64(signal.rawValue &- 1) }

    @inline(__always)
    public func contains(_ signal: Signal) -> Bool {
        rawValue & SignalSet(signal).rawValue != 0
    }

    /// The lowest numbered signal.
    public var lowest: Signal? {
        rawValue == 0 ? nil : Signal(rawValue: UInt8(rawValue.trailingZeroBitCount + 1))
    }

    /// Bytes of a set in the program's memory, which calls are told as `sigsetsize`.
    public static var size: Int { 8 }

    /// SIGKILL and SIGSTOP: neither blocked, caught nor ignored.
    public static var unblockable: SignalSet { [SignalSet(.kill), SignalSet(.stop)] }

    /// Those whose default is to stop the process.
    public static var stopping: SignalSet {
        [
            SignalSet(.stop), SignalSet(.terminalStop), SignalSet(.terminalInput),
            SignalSet(.terminalOutput),
        ]
    }

    /// Those that a terminal sends to the process group in its foreground.
    public static var fromTerminal: SignalSet {
        [
            SignalSet(.interrupt), SignalSet(.quit), SignalSet(.terminalStop),
            SignalSet(.windowChange),
        ]
    }

    /// Those whose default is to be ignored.
    public static var ignoredByDefault: SignalSet {
        [
            SignalSet(.child), SignalSet(.continue), SignalSet(.urgent), SignalSet(.windowChange),
        ]
    }

    /// Those whose default is a core dump: signal(7).
    public static var dumpingCore: SignalSet {
        [
            SignalSet(.quit), SignalSet(.illegalInstruction), SignalSet(.trap), SignalSet(.abort),
            SignalSet(.bus), SignalSet(.floatingPoint), SignalSet(.segmentationFault),
            SignalSet(.processorTime), SignalSet(.fileSize), SignalSet(.badSystemCall),
        ]
    }

    /// Those that the running thread itself causes; they are taken before all others.
    public static var synchronous: SignalSet {
        [
            SignalSet(.segmentationFault), SignalSet(.bus), SignalSet(.illegalInstruction),
            SignalSet(.trap), SignalSet(.floatingPoint), SignalSet(.badSystemCall),
        ]
    }
}

/// `struct sigaction` as the kernel has it.
public struct SignalAction: BitwiseCopyable, Sendable {
    /// SIG_DFL, SIG_IGN or the handler's address.
    public var handler: UInt
    public var flags: SignalActionFlags
    public var restorer: UInt
    public var mask: SignalSet

    public init(
        handler: UInt = SignalAction.byDefault,
        flags: SignalActionFlags = [],
        restorer: UInt = 0,
        mask: SignalSet = []
    ) {
        self.handler = handler
        self.flags = flags
        self.restorer = restorer
        self.mask = mask
    }

    /// SIG_DFL
    public static var byDefault: UInt { 0 }
    /// SIG_IGN
    public static var ignored: UInt { 1 }

    public var isDefault: Bool { handler == SignalAction.byDefault }
    public var isIgnored: Bool { handler == SignalAction.ignored }
}

/// `sa_flags`; bits that Linux does not know are dropped, as it does.
public struct SignalActionFlags: OptionSet, BitwiseCopyable, Sendable {
    public let rawValue: UInt

    @inline(__always)
    public init(rawValue: UInt) { self.rawValue = rawValue }

    /// SA_NOCLDSTOP
    public static var noChildStop: SignalActionFlags { SignalActionFlags(rawValue: 1) }
    /// SA_NOCLDWAIT
    public static var noChildWait: SignalActionFlags { SignalActionFlags(rawValue: 2) }
    /// SA_SIGINFO
    public static var information: SignalActionFlags { SignalActionFlags(rawValue: 4) }
    /// SA_EXPOSE_TAGBITS
    public static var exposeTags: SignalActionFlags { SignalActionFlags(rawValue: 0x800) }
    /// SA_RESTORER
    public static var restorer: SignalActionFlags { SignalActionFlags(rawValue: 0x0400_0000) }
    /// SA_ONSTACK
    public static var onStack: SignalActionFlags { SignalActionFlags(rawValue: 0x0800_0000) }
    /// SA_RESTART
    public static var restart: SignalActionFlags { SignalActionFlags(rawValue: 0x1000_0000) }
    /// SA_NODEFER
    public static var noDefer: SignalActionFlags { SignalActionFlags(rawValue: 0x4000_0000) }
    /// SA_RESETHAND
    public static var resetHandler: SignalActionFlags { SignalActionFlags(rawValue: 0x8000_0000) }

    public static var known: SignalActionFlags {
        [
            .noChildStop, .noChildWait, .information, .exposeTags, .restorer, .onStack, .restart,
            .noDefer, .resetHandler,
        ]
    }
}

/// `stack_t` of sigaltstack(2).
public struct SignalStack: BitwiseCopyable, Sendable {
    public var base: UInt
    public var flags: Int32
    private var padding: Int32 = 0
    public var size: UInt

    public init(base: UInt = 0, flags: Int32 = SignalStack.disabled, size: UInt = 0) {
        self.base = base
        self.flags = flags
        self.size = size
    }

    /// SS_ONSTACK
    public static var inUse: Int32 { 1 }
    /// SS_DISABLE
    public static var disabled: Int32 { 2 }
    /// SS_AUTODISARM
    public static var disarmedOnUse: Int32 { Int32(bitPattern: 1 << 31) }
    /// MINSIGSTKSZ
    public static var minimumSize: UInt { 2048 }
}
