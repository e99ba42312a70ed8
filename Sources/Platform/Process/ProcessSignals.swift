import HostCalls
import LaunchRecord
import Platform

/// The host's signals: caught system calls, faults, the timer, and what comes from outside.
///
/// Handlers never return to the host: they leave by restoring the registers (process.S), so no
/// signal is ever blocked, and one that finds the kernel at work only notes itself in cpu.pending.
enum ProcessSignals {
    nonisolated(unsafe) private static var parent: Int32 = 0

    // Numbers of signal(7).
    private static var illegal: Int32 { 4 }
    private static var trap: Int32 { 5 }
    private static var bus: Int32 { 7 }
    private static var floatingPoint: Int32 { 8 }
    private static var segmentation: Int32 { 11 }
    private static var pipe: Int32 { 13 }
    private static var badCall: Int32 { 31 }

    /// Signals that somebody outside may send to the program: HUP INT QUIT USR1 USR2 ALRM TERM
    /// CONT TSTP TTIN TTOU WINCH, and those that `unirun` forwards in their place.
    private static var outside: UInt64 {
        bit(1) | bit(2) | bit(3) | bit(10) | bit(12) | bit(14) | bit(15) | bit(18) | bit(20)
            | bit(28)
    }

    // Bits of %rflags: the trap flag, and with it AC, NT and DF, as in entry.S.
    private static var trapFlag: UInt64 { 0x100 }
    private static var oddFlags: UInt64 { 0x44500 }

    static func bit(_ signal: Int32) -> UInt64 { 1 << UInt64(signal - 1) }

    /// struct kernel_sigaction
    private struct Action {
        var handler: UInt64
        var flags: UInt64
        var restorer: UInt64 = 0
        var mask: UInt64 = 0
    }

    /// Installs the handlers; before the filter. A negated errno when the host refuses.
    static func install() -> Int64 {
        parent = Int32(truncatingIfNeeded: callHost(HostNumber.getppid))
        var stack = (ProcessLayout.signalStack, UInt64(0), ProcessLayout.signalStackSize)
        let answer = callHost(HostNumber.sigaltstack, address(&stack), 0)
        guard answer >= 0 else { return answer }

        let entry = code_places.process_signal_entry
        let withInformation: UInt64 = 0x4
        let onStack: UInt64 = 0x0800_0000
        let noDefer: UInt64 = 0x4000_0000
        let restorer: UInt64 = 0x0400_0000
        let handled =
            outside | bit(illegal) | bit(trap) | bit(bus) | bit(floatingPoint) | bit(segmentation)
            | bit(badCall) | bit(ProcessTime.signal)
        for signal in Int32(1)...64 where handled & bit(signal) != 0 {
            var action = Action(
                handler: entry,
                flags: withInformation | onStack | noDefer | restorer
            )
            let answer = setAction(signal, &action)
            guard answer >= 0 else { return answer }
        }
        // A write to a pipe without readers is told by EPIPE; the kernel sends the signal.
        var ignore = Action(handler: 1, flags: 0)
        guard setAction(pipe, &ignore) >= 0 else { return -22 }
        var none: UInt64 = 0
        let setMask: UInt64 = 2
        return callHost(HostNumber.rt_sigprocmask, setMask, address(&none), 0, 8)
    }

    private static func setAction(_ signal: Int32, _ action: inout Action) -> Int64 {
        callHost(HostNumber.rt_sigaction, UInt64(signal), address(&action), 0, 8)
    }

    // MARK: Taking a signal

    static func take(
        _ signal: Int32,
        _ information: UnsafePointer<host_signal_information>,
        _ registers: UnsafeMutablePointer<host_registers>
    ) {
        switch signal {
        case badCall: takeCaughtCall(information, registers)
        case ProcessTime.signal: takeInterrupt(UInt32(CPU_PENDING_TIMER), registers)
        case illegal, trap, bus, floatingPoint, segmentation:
            takeFault(signal, information, registers)
        default:
            // A terminal's, or one that unirun sends; anybody else sends to unirun.
            let fromKernel: Int32 = 0x80
            guard information.pointee.code == fromKernel || information.pointee.sender == parent
            else { return }
            cpu_add_outside_signals(bit(signal))
            takeInterrupt(UInt32(CPU_PENDING_SIGNAL), registers)
        }
    }

    /// A `syscall` instruction of the program, run for the first time or not to be rewritten.
    private static func takeCaughtCall(
        _ information: UnsafePointer<host_signal_information>,
        _ registers: UnsafeMutablePointer<host_registers>
    ) {
        let architecture = UnsafeRawPointer(information).load(fromByteOffset: 28, as: UInt32.self)
        let auditArchitecture: UInt32 = 0xc000_003e
        guard architecture == auditArchitecture else {
            // int $0x80: there is no 32-bit call here.
            return enterException(
                registers,
                UInt64(VECTOR_GENERAL_PROTECTION.rawValue),
                address: 0,
                error: 0
            )
        }
        let site = registers.pointee.rip &- 2
        guard !isKernelCode(site) else { die("the kernel made a system call past its own page") }
        if isKernelsClock(site, registers) {
            // The host's clock is not the processor's counter: it is asked itself from now on.
            ProcessTime.hostClock = 0
            let answer = callHost(
                HostNumber.clock_gettime,
                registers.pointee.rdi,
                registers.pointee.rsi
            )
            registers.pointee.rax = UInt64(bitPattern: answer)
            return
        }
        // The host's vDSO is left as it is.
        registers.pointee.rcx =
            HostVDSO.contains(site)
            ? registers.pointee.rip : kernel_caught_call(site, registers.pointee.rax)
        registers.pointee.r11 = registers.pointee.rflags
        registers.pointee.rip = code_places.system_call_entry
        if registers.pointee.rflags & trapFlag != 0 { enterStepped(registers) }
    }

    /// The timer or a signal from outside.
    static func takeInterrupt(
        _ work: UInt32,
        _ registers: UnsafeMutablePointer<host_registers>
    ) {
        cpu_set_pending(work)
        if isKernelCode(registers.pointee.rip) { return stepBack(registers) }
        if isKernelsClock(registers.pointee.rip, registers) { return }
        enterKernel(registers)
        registers.pointee.rip = code_places.frame_return
    }

    private static func takeFault(
        _ signal: Int32,
        _ information: UnsafePointer<host_signal_information>,
        _ registers: UnsafeMutablePointer<host_registers>
    ) {
        let vector = registers.pointee.vector
        let pageFault = UInt64(VECTOR_PAGE_FAULT.rawValue)
        var error = registers.pointee.error
        if signal == bus, vector == pageFault || vector == 0 {
            error |= UInt64(PAGE_FAULT_BEYOND_FILE.rawValue)
        }
        let address = vector == pageFault ? registers.pointee.cr2 : information.pointee.address
        if vector == UInt64(VECTOR_DEBUG.rawValue), takesStep(registers) { return }
        if isKernelCode(registers.pointee.rip) {
            return takeKernelFault(registers, address: address, error: error)
        }
        if vector == UInt64(VECTOR_BREAKPOINT.rawValue) {
            let continuation = kernel_breakpoint(registers.pointee.rip &- 1)
            guard continuation == 0 else {
                registers.pointee.rip = continuation
                return
            }
        }
        enterException(registers, vector, address: address, error: error)
    }

    /// A single-stepping program executed an instruction: whether that was one of the way into the
    /// kernel, of which the program is not to know.
    private static func takesStep(_ registers: UnsafeMutablePointer<host_registers>) -> Bool {
        let rip = registers.pointee.rip
        guard rip >= code_places.system_call_entry, rip <= code_places.system_call_entry_begun
        else { return !isKernelCode(rip) && kernel_step(rip) == 0 }
        enterStepped(registers)
        return true
    }

    /// Begins a system call without the trap flag, which comes back on the way out.
    private static func enterStepped(_ registers: UnsafeMutablePointer<host_registers>) {
        registers.pointee.r11 = registers.pointee.rflags
        registers.pointee.rflags &= ~oddFlags
        registers.pointee.rip = code_places.system_call_entry_stepped
    }

    /// A copy from or to the program's memory faulted, or the kernel is broken.
    private static func takeKernelFault(
        _ registers: UnsafeMutablePointer<host_registers>,
        address: UInt64,
        error: UInt64
    ) {
        let fixup = user_copy_fixup(registers.pointee.rip)
        guard fixup != 0 else { dieOfFault(registers, address: address) }
        if kernel_user_fault(address, error) != 0 { return }
        registers.pointee.rip = fixup
    }

    // MARK: Going elsewhere

    /// Lets the kernel look at the fault, on the thread's own stack.
    private static func enterException(
        _ registers: UnsafeMutablePointer<host_registers>,
        _ vector: UInt64,
        address: UInt64,
        error: UInt64
    ) {
        let frame = enterKernel(registers)
        // As if frame_return had called it.
        let stack = UInt(bitPattern: frame) & ~15 - 8
        UnsafeMutablePointer<UInt64>(bitPattern: stack)!.pointee = code_places.frame_return
        registers.pointee.rsp = UInt64(stack)
        registers.pointee.rip = code_places.kernel_exception
        registers.pointee.rdi = UInt64(UInt(bitPattern: frame))
        registers.pointee.rsi = vector
        registers.pointee.rdx = address
        registers.pointee.rcx = error
        registers.pointee.rbp = 0
    }

    /// Saves the program's registers as the trap frame of the current thread, and leaves the
    /// signal with flags and stack as the kernel's code needs them.
    @discardableResult
    private static func enterKernel(
        _ registers: UnsafeMutablePointer<host_registers>
    ) -> UnsafeMutablePointer<trap_frame> {
        let frame = UnsafeMutablePointer<trap_frame>(
            bitPattern: UInt(boot_cpu.kernel_stack) - UInt(TRAP_FRAME_SIZE)
        )!
        let from = registers.pointee
        frame.pointee = trap_frame(
            r15: from.r15,
            r14: from.r14,
            r13: from.r13,
            r12: from.r12,
            rbp: from.rbp,
            rbx: from.rbx,
            r11: from.r11,
            r10: from.r10,
            r9: from.r9,
            r8: from.r8,
            rax: from.rax,
            rcx: from.rcx,
            rdx: from.rdx,
            rsi: from.rsi,
            rdi: from.rdi,
            original_rax: .max,
            rip: from.rip,
            cs: boot_cpu.code_selector,
            rflags: from.rflags,
            rsp: from.rsp,
            ss: boot_cpu.stack_selector
        )
        registers.pointee.rflags = from.rflags & ~oddFlags
        registers.pointee.rsp = boot_cpu.kernel_stack
        return frame
    }

    /// An interrupt came on the way out of the kernel, after the look at what is pending: that
    /// part runs again. See entry.S and process.S.
    private static func stepBack(_ registers: UnsafeMutablePointer<host_registers>) {
        let rip = registers.pointee.rip
        if rip >= code_places.system_call_leave, rip < code_places.system_call_leave_end {
            let words: UInt64 = 80
            // The result waits in %r11 until the flags are back.
            if rip < code_places.system_call_leave_result {
                registers.pointee.rax = registers.pointee.r11
            }
            registers.pointee.rip = code_places.system_call_return
            registers.pointee.rsp = boot_cpu.kernel_stack - words
        } else if rip >= code_places.frame_leave, rip < code_places.frame_leave_end {
            registers.pointee.rip = code_places.frame_return
        } else if rip >= code_places.hypercall_wait_begin,
            rip <= code_places.hypercall_wait_instruction
        {
            registers.pointee.rip = code_places.hypercall_wait_interrupted
        }
    }

    /// Whether the kernel reads the clock in the host's vDSO, which is not its own code: it does so
    /// on a stack of its own.
    private static func isKernelsClock(
        _ address: UInt64,
        _ registers: UnsafePointer<host_registers>
    ) -> Bool {
        HostVDSO.contains(address) && registers.pointee.rsp >= ProcessLayout.userEnd
    }

    /// Whether an address lies in the image: the kernel's own code, and not a stub's.
    private static func isKernelCode(_ address: UInt64) -> Bool {
        address >= code_places.image && address < code_places.image_end
    }
}

@c(process_signal)
func processSignal(
    _ number: Int32,
    _ information: UnsafePointer<host_signal_information>,
    _ context: UnsafeMutablePointer<host_context>
) {
    let registers = context.pointer(to: \.registers)!
    ProcessSignals.take(number, information, registers)
    // What came meanwhile was only noted, and this may lead back to the program.
    if boot_cpu.pending != 0 { ProcessSignals.takeInterrupt(0, registers) }
    if let state = context.pointee.vector_state { tellInitialState(state) }
    // In place, what iretq pops: rsp, rip, rflags, selectors, error become
    // rip, cs, rflags, rsp, ss.
    let (rsp, rip) = (registers.pointee.rsp, registers.pointee.rip)
    registers.pointee.rsp = rip
    registers.pointee.rip = boot_cpu.code_selector
    registers.pointee.selectors = rsp
    registers.pointee.error = boot_cpu.stack_selector
}

/// The host says of every frame that its x87 registers are in use. Where they are not, a thread's
/// registers would be saved the slow way ever after.
private func tellInitialState(_ state: UnsafeMutableRawPointer) {
    // FCW 0x37f and nothing else, then MXCSR and its mask, then eight registers.
    let words = state.assumingMemoryBound(to: UInt64.self)
    guard words[0] == 0x37f, words[1] == 0, words[2] == 0 else { return }
    for index in 4..<20 where words[index] != 0 { return }
    words[64] &= ~1  // XSTATE_BV
}

/// The kernel is broken: where, in one line.
private func dieOfFault(
    _ registers: UnsafeMutablePointer<host_registers>,
    address: UInt64
) -> Never {
    writeError("unirun: kernel fault on address ")
    writeHexadecimal(address)
    writeError(", called from")
    var (returnAddress, frame) = (registers.pointee.rip, registers.pointee.rbp)
    for _ in 0..<24 {
        writeError(" ")
        writeHexadecimal(returnAddress)
        // Frame pointers lead from caller to caller until one that is not a kernel stack's.
        var words: (UInt64, UInt64) = (0, 0)
        guard user_copy(&words, UnsafeRawPointer(bitPattern: UInt(frame)), 16) == 0, words.0 > frame
        else { break }
        (frame, returnAddress) = words
    }
    die("")
}
