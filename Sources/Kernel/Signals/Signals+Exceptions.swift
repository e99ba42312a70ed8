import LinuxABI
import Platform

extension Signals {
    /// Sends the current thread the signal of an exception that it caused, with the signals and
    /// codes of Linux's arch/x86 traps.
    ///
    /// `error` is the processor's. `outcome` is what the address space made of a page fault.
    public static func raiseException(
        vector: UInt64,
        address faultAddress: UInt64,
        error: UInt64,
        frame: UnsafePointer<trap_frame>,
        outcome: FaultOutcome = .notMapped
    ) {
        let thread = Thread.current
        thread.signals.lastException = ExceptionRecord(
            vector: vector,
            error: error & 0xffff,
            faultAddress: vector == 14 ? faultAddress : 0
        )
        let place = frame.pointee.rip
        let signal: Signal
        var code = SignalInformation.kernel
        var address: UInt64 = 0
        switch vector {
        case 0: (signal, code, address) = (.floatingPoint, SignalInformation.integerDivide, place)
        case 1: (signal, code, address) = (.trap, SignalInformation.trace, place)
        case 3: signal = .trap
        case 6:
            (signal, code, address) = (.illegalInstruction, SignalInformation.illegalOperand, place)
        case 11, 12: signal = .bus
        case 14 where outcome == .busError:
            (signal, code, address) = (.bus, SignalInformation.noSuchAddress, faultAddress)
        case 14:
            let isMapped = outcome == .notPermitted
            code = isMapped ? SignalInformation.notPermitted : SignalInformation.notMapped
            (signal, address) = (.segmentationFault, faultAddress)
        case 16, 19:
            code = floatingPointCode(thread, isVector: vector == 19)
            (signal, address) = (.floatingPoint, place)
        case 17:
            (signal, code) = (.bus, SignalInformation.misaligned)
        default: signal = .segmentationFault
        }
        force(signal, SignalInformation(signal, code: code, address: address))
    }

    /// Which of the unmasked exceptions of the x87 or SSE unit is pending, as fpu__exception_code.
    private static func floatingPointCode(_ thread: Thread, isVector: Bool) -> Int32 {
        vector_state_save_all(thread.vectorState)
        let raised: UInt32
        if isVector {
            let flags = thread.vectorState.load(
                fromByteOffset: VectorState.flagsOffset,
                as: UInt32.self
            )
            raised = flags & ~(flags >> 7)
        } else {
            let control = thread.vectorState.load(as: UInt16.self)
            let status = thread.vectorState.load(fromByteOffset: 2, as: UInt16.self)
            raised = UInt32(status & ~control)
        }
        if raised & 1 != 0 { return SignalInformation.floatInvalid }
        if raised & 4 != 0 { return SignalInformation.floatDivide }
        if raised & 8 != 0 { return SignalInformation.floatOverflow }
        if raised & 0x12 != 0 { return SignalInformation.floatUnderflow }
        if raised & 0x20 != 0 { return SignalInformation.floatInexact }
        return 0
    }
}
