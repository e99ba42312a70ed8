import Interruption
import Platform

/// The kernel is broken: what happened, the registers, and who called whom, as last words. `unirun` puts
/// names to the lines that begin with `at`.
enum MachinePanic {
    nonisolated(unsafe) private static var hasBegun = false

    static func end(_ reason: StaticString, _ registers: Interruption.Registers) -> Never {
        begin()
        LastWords.write(reason)
        LastWords.write("\n")
        show(registers)
        Power.off(125)
    }

    /// An exception of the kernel itself.
    static func end(
        _ vector: UInt64,
        address: UInt64,
        _ registers: Interruption.Registers
    ) -> Never {
        begin()
        LastWords.write(name(vector))
        LastWords.write(" on address ")
        LastWords.writeHexadecimal(address)
        LastWords.write("\n")
        show(registers)
        Power.off(125)
    }

    /// What is shown may not be there: a second panic ends the first.
    private static func begin() {
        if hasBegun { Power.off(125) }
        hasBegun = true
        LastWords.write("unirun: kernel panic: ")
    }

    private static func name(_ vector: UInt64) -> StaticString {
        switch vector {
        case UInt64(VECTOR_DIVIDE.rawValue): "division by zero"
        case UInt64(VECTOR_INVALID_OPCODE.rawValue): "invalid instruction (a trap of Swift)"
        case UInt64(VECTOR_STACK.rawValue): "stack fault"
        case UInt64(VECTOR_GENERAL_PROTECTION.rawValue): "general protection fault"
        case UInt64(VECTOR_PAGE_FAULT.rawValue): "page fault"
        default: "exception"
        }
    }

    private static func show(_ registers: Interruption.Registers) {
        let all = registers.pointee
        line("rip", all.rip, "rsp", all.rsp, "flags", all.rflags)
        line("rax", all.rax, "rbx", all.rbx, "rcx", all.rcx)
        line("rdx", all.rdx, "rsi", all.rsi, "rdi", all.rdi)
        line("rbp", all.rbp, "r8", all.r8, "r9", all.r9)
        line("r10", all.r10, "r11", all.r11, "r12", all.r12)
        line("r13", all.r13, "r14", all.r14, "r15", all.r15)
        line("error", all.error, "cr2", fault_address(), "selectors", all.selectors)
        Interruption.forEachCaller(of: registers) { frame in
            // A fault here would lose the interrupt stack.
            guard frame >= UInt64(DIRECT_MAP) || Interruption.isKernelCode(frame), frame & 7 == 0
            else { return nil }
            let words = UnsafePointer<UInt64>(bitPattern: UInt(frame))!
            return (words[0], words[1])
        } _: { address in
            LastWords.write("  at ")
            LastWords.writeHexadecimal(address)
            LastWords.write("\n")
        }
    }

    private static func line(
        _ first: StaticString,
        _ firstValue: UInt64,
        _ second: StaticString,
        _ secondValue: UInt64,
        _ third: StaticString,
        _ thirdValue: UInt64
    ) {
        LastWords.write(" ")
        word(first, firstValue)
        word(second, secondValue)
        word(third, thirdValue)
        LastWords.write("\n")
    }

    private static func word(_ name: StaticString, _ value: UInt64) {
        LastWords.write(" ")
        LastWords.write(name)
        LastWords.write(" ")
        LastWords.writeHexadecimal(value)
    }
}
