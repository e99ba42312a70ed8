import Platform

/// What both worlds do when something interrupts the program or the kernel: an exception, the timer,
/// a signal of the host. A handler decides by changing the registers that it goes back to.
public enum Interruption {
    public typealias Registers = UnsafeMutablePointer<interrupt_registers>

    // Bits of %rflags: the trap flag, and with it all that entry.S takes for odd.
    private static var trapFlag: UInt64 { 0x100 }
    private static var oddFlags: UInt64 { UInt64(ODD_FLAGS) }

    /// An interrupted program's flags as the kernel's code needs them.
    private static func kernelFlags(_ flags: UInt64) -> UInt64 {
        flags & ~oddFlags | boot_cpu.kernel_flags
    }

    /// Whether an address lies in the image: the kernel's own code, and not a stub's.
    public static func isKernelCode(_ address: UInt64) -> Bool {
        address >= entry_places.image && address < entry_places.image_end
    }

    // MARK: Exceptions

    /// Finds who is to deal with an exception: the rewriter, the routine that copied from or to the
    /// program, or the program's own kernel. False when the kernel itself is broken.
    public static func takeException(
        _ registers: Registers,
        _ vector: UInt64,
        address: UInt64,
        error: UInt64
    ) -> Bool {
        if vector == UInt64(VECTOR_DEBUG.rawValue), takesStep(registers) { return true }
        if isKernelCode(registers.pointee.rip) {
            let fixup = user_copy_fixup(registers.pointee.rip)
            guard fixup != 0 else { return false }
            if kernel_user_fault(address, error) == 0 { registers.pointee.rip = fixup }
            return true
        }
        if vector == UInt64(VECTOR_BREAKPOINT.rawValue) {
            let continuation = kernel_breakpoint(registers.pointee.rip &- 1)
            guard continuation == 0 else {
                registers.pointee.rip = continuation
                return true
            }
        }
        enterException(registers, vector, address: address, error: error)
        return true
    }

    /// Calls `body` with the interrupted address and those that its callers are returned to. `read`
    /// reads a stack frame: the caller's frame, and the address; nil where there is none.
    public static func forEachCaller(
        of registers: Registers,
        read: (UInt64) -> (frame: UInt64, returnAddress: UInt64)?,
        _ body: (UInt64) -> Void
    ) {
        var (returnAddress, frame) = (registers.pointee.rip, registers.pointee.rbp)
        for _ in 0..<24 {
            body(returnAddress)
            // Frame pointers lead from caller to caller until one that is not a kernel stack's.
            guard let caller = read(frame), caller.frame > frame else { return }
            (frame, returnAddress) = (caller.frame, caller.returnAddress)
        }
    }

    /// The sixteen hexadecimal digits of a number, as text.
    public static func digits(_ value: UInt64) -> InlineArray<16, UInt8> {
        var digits = InlineArray<16, UInt8>(repeating: 0)
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * index)) & 15
            digits[index] = digit < 10 ? 48 + digit : 87 + digit
        }
        return digits
    }

    // MARK: Into the kernel

    /// Saves the program's registers as the trap frame of the current thread, and goes to do what is
    /// pending, with flags and stack as the kernel's code needs them.
    @discardableResult
    public static func enterKernel(_ registers: Registers) -> UnsafeMutablePointer<trap_frame> {
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
        registers.pointee.rflags = kernelFlags(from.rflags)
        registers.pointee.rsp = boot_cpu.kernel_stack
        registers.pointee.rip = entry_places.frame_return
        return frame
    }

    /// Lets the kernel look at an exception, on the thread's own stack.
    public static func enterException(
        _ registers: Registers,
        _ vector: UInt64,
        address: UInt64,
        error: UInt64
    ) {
        let frame = enterKernel(registers)
        // As if frame_return had called it.
        let stack = UInt(bitPattern: frame) & ~15 - 8
        UnsafeMutablePointer<UInt64>(bitPattern: stack)!.pointee = entry_places.frame_return
        registers.pointee.rsp = UInt64(stack)
        registers.pointee.rip = entry_places.kernel_exception
        registers.pointee.rdi = UInt64(UInt(bitPattern: frame))
        registers.pointee.rsi = vector
        registers.pointee.rdx = address
        registers.pointee.rcx = error
        registers.pointee.rbp = 0
    }

    // MARK: Back

    /// An interrupt came on the way out of the kernel, after the look at what is pending: that part
    /// runs again. See entry.S.
    public static func stepBack(_ registers: Registers) {
        let rip = registers.pointee.rip
        let isLeaving =
            rip >= entry_places.system_call_leave && rip < entry_places.system_call_leave_end
        let isBrief =
            rip >= entry_places.system_call_brief_leave
            && rip < entry_places.system_call_brief_leave_end
        if isLeaving || isBrief {
            let words: UInt64 = 80
            // The result waits in %r11 until the flags are back.
            if isLeaving, rip < entry_places.system_call_leave_result {
                registers.pointee.rax = registers.pointee.r11
            }
            registers.pointee.rip = entry_places.system_call_return
            registers.pointee.rsp = boot_cpu.kernel_stack - words
            // Kernel data may be closed already.
            registers.pointee.rflags |= boot_cpu.kernel_flags
        } else if rip >= entry_places.frame_leave, rip < entry_places.frame_leave_end {
            registers.pointee.rip = entry_places.frame_return
        }
    }

    /// Makes of the registers, in place, what the way out pops: rsp, rip, rflags, selectors, error
    /// become rip, cs, rflags, rsp, ss.
    public static func prepareLeave(_ registers: Registers) {
        let (rsp, rip) = (registers.pointee.rsp, registers.pointee.rip)
        registers.pointee.rsp = rip
        registers.pointee.rip = boot_cpu.code_selector
        registers.pointee.selectors = rsp
        registers.pointee.error = boot_cpu.stack_selector
    }

    /// Takes `prepareLeave` back.
    public static func undoLeave(_ registers: Registers) {
        let (rip, rsp) = (registers.pointee.rsp, registers.pointee.selectors)
        registers.pointee.rip = rip
        registers.pointee.rsp = rsp
    }

    // MARK: Single-stepping

    public static func isStepping(_ registers: Registers) -> Bool {
        registers.pointee.rflags & trapFlag != 0
    }

    /// A single-stepping program executed an instruction: whether that was one of the way into the
    /// kernel, of which the program is not to know.
    public static func takesStep(_ registers: Registers) -> Bool {
        let rip = registers.pointee.rip
        let isEntry =
            rip >= entry_places.system_call_entry && rip <= entry_places.system_call_entry_begun
        let isBrief =
            rip >= entry_places.system_call_entry_brief
            && rip <= entry_places.system_call_entry_brief_begun
        guard isEntry || isBrief else { return !isKernelCode(rip) && kernel_step(rip) == 0 }
        enterStepped(registers)
        return true
    }

    /// Begins a system call without the trap flag, which comes back on the way out.
    public static func enterStepped(_ registers: Registers) {
        registers.pointee.r11 = registers.pointee.rflags
        registers.pointee.rflags = kernelFlags(registers.pointee.rflags)
        registers.pointee.rip = entry_places.system_call_entry_stepped
    }
}
