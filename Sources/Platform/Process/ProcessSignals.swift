import HostCalls
import Interruption
import LaunchRecord
import Platform

/// The host's signals: caught system calls, faults, the timer, and what comes from outside.
///
/// Handlers never return to the host: they leave by restoring the registers (process.S), so no
/// signal is ever blocked, and one that finds the kernel at work only notes itself in cpu.pending.
enum ProcessSignals {
    /// `unirun`.
    nonisolated(unsafe) private(set) static var parent: Int32 = 0

    // Numbers of signal(7).
    private static var illegal: Int32 { 4 }
    private static var trap: Int32 { 5 }
    private static var bus: Int32 { 7 }
    private static var floatingPoint: Int32 { 8 }
    private static var segmentation: Int32 { 11 }
    private static var pipe: Int32 { 13 }
    private static var badCall: Int32 { 31 }

    /// Signals that a terminal may send to the program, and those that somebody sends to the whole group,
    /// who means `unirun`: HUP INT QUIT USR1 USR2 ALRM TERM CONT TSTP WINCH.
    private static var outside: UInt64 {
        bit(1) | bit(2) | bit(3) | bit(10) | bit(12) | bit(14) | bit(15) | bit(18) | bit(20)
            | bit(28)
    }

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
        let size = UInt64(HOST_IDENTITY) - ProcessLayout.signalStack
        var stack = (ProcessLayout.signalStack, UInt64(0), size)
        let answer = callHost(HostNumber.sigaltstack, address(&stack), 0)
        guard answer >= 0 else { return answer }

        let entry = code_places.process_signal_entry
        let withInformation: UInt64 = 0x4
        let onStack: UInt64 = 0x0800_0000
        let noDefer: UInt64 = 0x4000_0000
        let restorer: UInt64 = 0x0400_0000
        let handled =
            outside | bit(illegal) | bit(trap) | bit(bus) | bit(floatingPoint) | bit(segmentation)
            | bit(badCall) | bit(ProcessTime.signal) | bit(HostSignal.bell)
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
        _ context: UnsafeMutablePointer<host_context>
    ) {
        let registers = context.pointer(to: \.registers)!
        // What is sent to all is for those that know who they are.
        guard !HostProcesses.isJoining(registers) else { return }
        switch signal {
        case badCall: takeCaughtCall(information, registers)
        case ProcessTime.signal:
            guard HostProcesses.hasTurn else { return HostProcesses.missInterrupt() }
            takeInterrupt(UInt32(CPU_PENDING_TIMER), registers)
        case illegal, trap, bus, floatingPoint, segmentation:
            takeFault(signal, information, context)
        case HostSignal.bell: takeOutside(0, registers)
        default:
            // A terminal's; anybody else sends to unirun.
            let fromKernel: Int32 = 0x80
            guard information.pointee.code == fromKernel else { return }
            takeOutside(bit(signal), registers)
        }
    }

    /// Signals for the program, beside those that `unirun` has noted itself. A terminal sends them to all
    /// processes: the first one takes them for all.
    private static func takeOutside(_ signals: UInt64, _ registers: Interruption.Registers) {
        guard HostProcesses.isFirst else { return }
        cpu_add_outside_signals(signals)
        guard HostProcesses.hasTurn else {
            cpu_set_pending(UInt32(CPU_PENDING_SIGNAL))
            return HostProcesses.interruptOthers()
        }
        takeInterrupt(UInt32(CPU_PENDING_SIGNAL), registers)
    }

    /// A `syscall` instruction of the program, run for the first time or not to be rewritten.
    private static func takeCaughtCall(
        _ information: UnsafePointer<host_signal_information>,
        _ registers: Interruption.Registers
    ) {
        let architecture = UnsafeRawPointer(information).load(fromByteOffset: 28, as: UInt32.self)
        let auditArchitecture: UInt32 = 0xc000_003e
        guard architecture == auditArchitecture else {
            // int $0x80: there is no 32-bit call here.
            return Interruption.enterException(
                registers,
                UInt64(VECTOR_GENERAL_PROTECTION.rawValue),
                address: 0,
                error: 0
            )
        }
        let site = registers.pointee.rip &- 2
        guard !Interruption.isKernelCode(site) else {
            die("the kernel made a system call past its own page")
        }
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
        registers.pointee.rip = entry_places.system_call_entry
        if Interruption.isStepping(registers) { Interruption.enterStepped(registers) }
    }

    /// The timer or a signal from outside.
    static func takeInterrupt(
        _ work: UInt32,
        _ registers: Interruption.Registers
    ) {
        cpu_set_pending(work)
        finishLeaving(registers)
        if Interruption.isKernelCode(registers.pointee.rip) { return goBack(registers) }
        if isKernelsClock(registers.pointee.rip, registers) { return }
        Interruption.enterKernel(registers)
    }

    private static func takeFault(
        _ signal: Int32,
        _ information: UnsafePointer<host_signal_information>,
        _ context: UnsafeMutablePointer<host_context>
    ) {
        let registers = context.pointer(to: \.registers)!
        let vector = context.pointee.vector
        let pageFault = UInt64(VECTOR_PAGE_FAULT.rawValue)
        var error = registers.pointee.error
        if signal == bus, vector == pageFault || vector == 0 {
            error |= UInt64(PAGE_FAULT_BEYOND_FILE.rawValue)
        }
        let address =
            vector == pageFault ? context.pointee.fault_address : information.pointee.address
        guard
            Interruption.takeException(registers, vector, address: address, error: error)
        else { dieOfFault(registers, address: address) }
    }

    /// Another handler was interrupted on its way out, by instructions that pop the registers in the order
    /// of `interrupt_registers`: does the rest of them, so that the interrupt came where it leads.
    private static func finishLeaving(_ registers: Interruption.Registers) {
        let rip = registers.pointee.rip
        guard rip >= code_places.process_leave_pops, rip < code_places.process_leave_end else {
            return
        }
        // Eight pops of two bytes and seven of one, then iretq.
        let offset = Int(rip - code_places.process_leave_pops)
        let popped = offset < 16 ? offset / 2 : 8 + (offset - 16)
        let rest = UnsafePointer<UInt64>(bitPattern: UInt(registers.pointee.rsp))!
        let all = UnsafeMutableRawPointer(registers).assumingMemoryBound(to: UInt64.self)
        for index in popped..<15 { all[index] = rest[index - popped] }
        // rip, cs, rflags, rsp, ss
        let frame = rest + (15 - popped)
        registers.pointee.rip = frame[0]
        registers.pointee.rflags = frame[2]
        registers.pointee.rsp = frame[3]
    }

    /// As `Interruption.stepBack`; and a wait that the interrupt would end is not begun.
    private static func goBack(_ registers: Interruption.Registers) {
        let rip = registers.pointee.rip
        if rip >= code_places.process_leave, rip < code_places.process_leave_pops {
            registers.pointee.rip = code_places.process_leave
            return
        }
        if rip >= code_places.hypercall_wait_begin, rip <= code_places.hypercall_wait_instruction {
            registers.pointee.rip = code_places.hypercall_wait_interrupted
        } else {
            Interruption.stepBack(registers)
        }
    }

    /// Whether the kernel reads the clock in the host's vDSO, which is not its own code: it does so
    /// on a stack of its own.
    private static func isKernelsClock(
        _ address: UInt64,
        _ registers: UnsafePointer<interrupt_registers>
    ) -> Bool {
        HostVDSO.contains(address) && registers.pointee.rsp >= ProcessLayout.userEnd
    }
}

@c(process_signal)
func processSignal(
    _ number: Int32,
    _ information: UnsafePointer<host_signal_information>,
    _ context: UnsafeMutablePointer<host_context>
) {
    let registers = context.pointer(to: \.registers)!
    ProcessSignals.take(number, information, context)
    // What came meanwhile was only noted, and this may lead back to the program.
    if boot_cpu.pending != 0, HostProcesses.hasTurn { ProcessSignals.takeInterrupt(0, registers) }
    if let state = context.pointee.vector_state { tellInitialState(state) }
    Interruption.prepareLeave(registers)
}

@c(process_signal_again)
func processSignalAgain(_ context: UnsafeMutablePointer<host_context>) {
    let registers = context.pointer(to: \.registers)!
    Interruption.undoLeave(registers)
    if HostProcesses.hasTurn { ProcessSignals.takeInterrupt(0, registers) }
    Interruption.prepareLeave(registers)
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
    _ registers: Interruption.Registers,
    address: UInt64
) -> Never {
    writeError("unirun: kernel fault on address ")
    writeHexadecimal(address)
    writeError(", called from")
    Interruption.forEachCaller(of: registers) { frame in
        var words: (UInt64, UInt64) = (0, 0)
        let missing = user_copy(&words, UnsafeRawPointer(bitPattern: UInt(frame)), 16)
        return missing == 0 ? words : nil
    } _: { address in
        writeError(" ")
        writeHexadecimal(address)
    }
    die("")
}
