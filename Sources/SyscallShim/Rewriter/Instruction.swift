/// One decoded x86-64 instruction: its length and what moving it elsewhere depends on.
public struct Instruction: Sendable {
    /// Where control goes after the instruction.
    public enum Flow: UInt8, Sendable {
        /// To the next instruction (or into a fault).
        case sequential
        /// `syscall`
        case systemCall
        /// `jcc` with a relative target.
        case conditionalBranch
        /// `jmp` with a relative target.
        case jump
        /// `call` with a relative target.
        case call
        /// `ret`
        case `return`
        /// `jmp` through a register or memory.
        case indirectJump
        /// `call` through a register or memory.
        case indirectCall
        /// `hlt`, `ud2`, `int3`: a program does not run past them.
        case stop
        /// `loop`, `jrcxz`, `xbegin`, far transfers, `iret`: cannot be moved by re-encoding alone.
        case other
    }

    /// The opcode map that the opcode byte belongs to.
    public enum Map: UInt8, Sendable {
        case oneByte, escape0F, escape0F38, escape0F3A
        /// VEX, EVEX or XOP.
        case vector
    }

    /// In bytes, 1…15.
    public internal(set) var length: UInt8 = 0
    public internal(set) var flow = Flow.sequential
    public internal(set) var map = Map.oneByte
    public internal(set) var opcode: UInt8 = 0
    /// Where the opcode byte is.
    public internal(set) var opcodeOffset: UInt8 = 0
    /// Where the ModRM byte is, 0 when there is none.
    public internal(set) var modRMOffset: UInt8 = 0
    /// Where the 32-bit displacement of a RIP-relative operand is, 0 when there is none.
    public internal(set) var ripDisplacementOffset: UInt8 = 0
    /// Size of the relative branch displacement at the instruction's end: 0, 1 or 4.
    public internal(set) var branchSize: UInt8 = 0
    /// 0x67 was among the prefixes: a RIP-relative operand is then taken modulo 2^32.
    public internal(set) var hasAddressSizePrefix = false
    /// `nop` of any length, or `int3`: what assemblers fill gaps with.
    public internal(set) var isPadding = false

    /// The branch displacement, taken from the bytes that the instruction was decoded from.
    func branchDisplacement(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Int64 {
        let end = offset + Int(length)
        if branchSize == 1 { return Int64(bytes.load(fromByteOffset: end - 1, as: Int8.self)) }
        return Int64(bytes.loadUnaligned(fromByteOffset: end - 4, as: Int32.self))
    }
}
