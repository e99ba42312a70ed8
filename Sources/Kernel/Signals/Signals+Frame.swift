import LinuxABI
import Platform

/// Signal frames on the program's stack, laid out as Linux's `struct rt_sigframe`.
extension Signals {
    /// Bytes of the vector state in a frame, without the second magic.
    private static var vectorSize: Int { Thread.vectorStateSize }

    /// What a frame needs, for AT_MINSIGSTKSZ: frame, vector state, magic and the alignments.
    public static var minimumStack: UInt64 {
        let state = vectorSize + VectorState.secondMagicSize
        return UInt64((MemoryLayout<SignalFrame>.size + state + 64 + 16 + 8 + 15) & ~15)
    }

    /// Writes the frame and sets the registers; false when it does not fit or cannot be written.
    static func writeFrame(
        _ thread: Thread,
        _ frame: UnsafeMutablePointer<trap_frame>,
        _ signal: Signal,
        _ action: SignalAction,
        _ information: SignalInformation,
        mask: SignalSet
    ) -> Bool {
        let signals = thread.signals
        guard action.flags.contains(.restorer) else { return false }
        let wasOnAlternate = signals.isOnAlternateStack(frame.pointee.rsp)
        var stack = frame.pointee.rsp &- SignalFrame.redZone
        let alternate = signals.alternateStack
        let entersAlternate =
            action.flags.contains(.onStack) && !wasOnAlternate && alternate.size > 0
        if entersAlternate { stack = UInt64(alternate.base) &+ UInt64(alternate.size) }

        let stateSize = UInt64(vectorSize + VectorState.secondMagicSize)
        let state = (stack &- stateSize) & ~63
        let address = ((state &- UInt64(MemoryLayout<SignalFrame>.size)) & ~15) &- 8
        guard address < stack else { return false }
        if entersAlternate || wasOnAlternate {
            guard address > UInt64(alternate.base) else { return false }
        }

        var image = SignalFrame()
        image.returnAddress = UInt64(action.restorer)
        image.information = information
        image.context.flags =
            UserContext.hasExtendedState | UserContext.hasStackSelector
            | UserContext.restoresStackSelector
        image.context.stack = alternate
        image.context.mask = mask
        image.context.registers = SignalContext(frame.pointee, signals.lastException)
        image.context.registers.oldMask = mask.rawValue
        image.context.registers.vectorState = state
        do throws(Errno) {
            try writeVectorState(thread, at: state)
            try UserMemory.write(
                &image,
                count: MemoryLayout<SignalFrame>.size,
                at: UInt(address)
            )
        } catch { return false }
        // Linux disarms only once the stack is in use.
        if alternate.flags & SignalStack.disarmedOnUse != 0 {
            signals.alternateStack = SignalStack()
        }

        frame.pointee.rdi = UInt64(signal.rawValue)
        frame.pointee.rsi = address &+ SignalFrame.informationOffset
        frame.pointee.rdx = address &+ SignalFrame.contextOffset
        frame.pointee.rax = 0
        frame.pointee.rip = UInt64(action.handler)
        frame.pointee.rsp = address
        frame.pointee.rflags &=
            ~(ProcessorFlags.direction | ProcessorFlags.resume | ProcessorFlags.trap)
        return isCanonical(frame.pointee.rip)
    }

    /// Whether the processor can go to an address of the lower half.
    private static func isCanonical(_ address: UInt64) -> Bool { address < 1 << 47 }

    /// rt_sigreturn(2): goes back to where the signal interrupted the program. A frame that the
    /// program made up cannot do more than the program itself; one that makes no sense is SIGSEGV.
    public static func returnFromHandler(_ frame: UnsafeMutablePointer<trap_frame>) {
        let thread = Thread.current
        frame.pointee.original_rax = noSystemCall
        thread.signals.interruptedWait = false
        // The handler's `ret` took the return address.
        let address = UInt(truncatingIfNeeded: frame.pointee.rsp &- 8)
        do throws(Errno) {
            let image = try UserPointer<SignalFrame>(address).load()
            let registers = image.context.registers
            guard isCanonical(registers.rip) else { throw .badAddress }
            try readVectorState(thread, at: registers.vectorState)
            thread.signals.setMask(image.context.mask, of: thread)
            registers.restore(&frame.pointee)
            // As on Linux, a stack that sigaltstack(2) would refuse is left out silently.
            try? Signals.setAlternateStack(
                image.context.stack,
                of: thread,
                stackPointer: frame.pointee.rsp
            )
        } catch { forceSegmentationFault(after: nil) }
    }

    // MARK: Vector state

    /// Copies the live vector registers to the program. The area that the thread's registers are
    /// saved in while it is away is free meanwhile.
    private static func writeVectorState(_ thread: Thread, at address: UInt64) throws(Errno) {
        let area = thread.vectorState
        vector_state_save_all(area)
        area.storeBytes(
            of: VectorStateDescription(
                features: boot.pointee.xsave_features,
                size: UInt32(vectorSize)
            ),
            toByteOffset: VectorState.descriptionOffset,
            as: VectorStateDescription.self
        )
        let destination = UInt(truncatingIfNeeded: address)
        try UserMemory.write(area, count: vectorSize, at: destination)
        try UserPointer<UInt32>(destination &+ UInt(vectorSize)).store(VectorState.secondMagic)
    }

    /// Loads vector registers that the program may have changed. What xrstor would fault on is
    /// taken out first.
    private static func readVectorState(_ thread: Thread, at address: UInt64) throws(Errno) {
        let area = thread.vectorState
        guard address != 0 else {
            thread.saved.pointee.resetVectorState()
            vector_state_restore(area, .max)
            return
        }
        vector_state_save_all(area)
        let reported = area.load(
            fromByteOffset: VectorState.flagsMaskOffset,
            as: UInt32.self
        )
        let flagsMask = reported == 0 ? VectorState.defaultFlagsMask : reported
        let source = UInt(truncatingIfNeeded: address)
        let size = try storedSize(at: source)
        try UserMemory.read(UnsafeMutableRawBufferPointer(start: area, count: size), at: source)
        sanitize(area, isExtended: size > VectorState.legacySize, flagsMask: flagsMask)
        vector_state_restore(area, .max)
    }

    /// Bytes of vector state that a frame holds: all, or the legacy region when its description is
    /// gone, as fpu__restore_sig decides.
    private static func storedSize(at address: UInt) throws(Errno) -> Int {
        let description = try UserPointer<VectorStateDescription>(
            address &+ UInt(VectorState.descriptionOffset)
        ).load()
        let smallest = VectorState.legacySize + VectorState.headerSize
        guard description.magic == VectorState.firstMagic, Int(description.size) >= smallest,
            Int(description.size) <= vectorSize,
            description.size < description.extendedSize
        else { return VectorState.legacySize }
        let magic = try UserPointer<UInt32>(address &+ UInt(description.size)).load()
        return magic == VectorState.secondMagic ? Int(description.size) : VectorState.legacySize
    }

    private static func sanitize(
        _ area: UnsafeMutableRawPointer,
        isExtended: Bool,
        flagsMask: UInt32
    ) {
        let flags = area.load(fromByteOffset: VectorState.flagsOffset, as: UInt32.self)
        area.storeBytes(
            of: flags & flagsMask,
            toByteOffset: VectorState.flagsOffset,
            as: UInt32.self
        )
        let stored = area.load(fromByteOffset: VectorState.featuresOffset, as: UInt64.self)
        let features =
            isExtended ? stored & boot.pointee.xsave_features : VectorState.legacyFeatures
        let header = area + VectorState.featuresOffset
        header.initializeMemory(as: UInt8.self, repeating: 0, count: VectorState.headerSize)
        header.storeBytes(of: features, as: UInt64.self)
    }

    // MARK: The alternate stack

    /// sigaltstack(2). `stackPointer` is the program's.
    ///
    /// Throws `notPermitted` while the thread runs on the alternate stack, `noMemory` when the new
    /// one is too small, `invalidArgument` for unknown flags.
    public static func setAlternateStack(
        _ stack: SignalStack,
        of thread: Thread,
        stackPointer: UInt64
    ) throws(Errno) {
        let signals = thread.signals
        guard !signals.isOnAlternateStack(stackPointer) else { throw .notPermitted }
        let mode = stack.flags & ~SignalStack.disarmedOnUse
        guard mode == 0 || mode == SignalStack.disabled || mode == SignalStack.inUse else {
            throw .invalidArgument
        }
        if mode == SignalStack.disabled {
            signals.alternateStack = SignalStack(flags: stack.flags)
            return
        }
        guard stack.size >= SignalStack.minimumSize else { throw .noMemory }
        signals.alternateStack = SignalStack(
            base: stack.base,
            flags: stack.flags,
            size: stack.size
        )
    }

    /// The alternate stack as sigaltstack(2) tells it.
    public static func alternateStack(of thread: Thread, stackPointer: UInt64) -> SignalStack {
        var stack = thread.signals.alternateStack
        let kept = stack.flags & SignalStack.disarmedOnUse
        let state =
            stack.size == 0
            ? SignalStack.disabled
            : thread.signals.isOnAlternateStack(stackPointer) ? SignalStack.inUse : 0
        stack.flags = kept | state
        return stack
    }
}

extension SignalContext {
    init(_ frame: trap_frame, _ exception: ExceptionRecord) {
        self.init()
        r8 = frame.r8
        r9 = frame.r9
        r10 = frame.r10
        r11 = frame.r11
        r12 = frame.r12
        r13 = frame.r13
        r14 = frame.r14
        r15 = frame.r15
        rdi = frame.rdi
        rsi = frame.rsi
        rbp = frame.rbp
        rbx = frame.rbx
        rdx = frame.rdx
        rax = frame.rax
        rcx = frame.rcx
        rsp = frame.rsp
        rip = frame.rip
        flags = frame.rflags
        codeSelector = UInt16(truncatingIfNeeded: frame.cs)
        stackSelector = UInt16(truncatingIfNeeded: frame.ss)
        error = exception.error
        trap = exception.vector
        faultAddress = exception.faultAddress
    }

    /// Puts the registers back. The selectors and the flags that concern the system stay.
    func restore(_ frame: inout trap_frame) {
        frame.r8 = r8
        frame.r9 = r9
        frame.r10 = r10
        frame.r11 = r11
        frame.r12 = r12
        frame.r13 = r13
        frame.r14 = r14
        frame.r15 = r15
        frame.rdi = rdi
        frame.rsi = rsi
        frame.rbp = rbp
        frame.rbx = rbx
        frame.rdx = rdx
        frame.rax = rax
        frame.rcx = rcx
        frame.rsp = rsp
        frame.rip = rip
        let settable = ProcessorFlags.settable
        frame.rflags = (frame.rflags & ~settable) | (flags & settable)
    }
}
