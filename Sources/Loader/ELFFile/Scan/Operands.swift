import Rewriter

/// The registers and the memory that an instruction names: what `Instruction` leaves alone.
struct Operands {
    /// A memory operand of one base register and a displacement.
    struct Memory: Equatable {
        let base: UInt8
        let displacement: Int32
    }

    let map: Instruction.Map
    let opcode: UInt8
    /// The register field of ModRM, with REX.R.
    private(set) var register: UInt8 = 0
    /// The register operand of ModRM, when it is one, with REX.B.
    private(set) var directRegister: UInt8?
    /// The memory operand, when it is one of a base and a displacement.
    private(set) var memory: Memory?
    /// The register in the opcode's low bits, with REX.B.
    let opcodeRegister: UInt8
    let hasOperandSize: Bool
    let isWide: Bool
    let hasREX: Bool
    /// The group number of opcodes that have one.
    private(set) var group: UInt8 = 0
    private let code: UnsafeRawBufferPointer
    private let end: Int

    /// `instruction` was decoded from `code` at `offset`.
    init(_ instruction: Instruction, _ code: UnsafeRawBufferPointer, at offset: Int) {
        self.code = code
        end = offset + Int(instruction.length)
        map = instruction.map
        opcode = instruction.opcode
        let escapes = map == .oneByte ? 0 : map == .escape0F ? 1 : 2
        let first = offset + Int(instruction.opcodeOffset) - escapes
        let prefix = first > offset && map != .vector ? code[first - 1] : 0
        hasREX = prefix & 0xf0 == 0x40
        let rex = hasREX ? prefix : 0
        isWide = rex & 8 != 0
        hasOperandSize = map != .vector && code[offset..<max(offset, first)].contains(0x66)
        opcodeRegister = opcode & 7 | (rex & 1) << 3
        guard instruction.modRMOffset > 0 else { return }
        let modRM = offset + Int(instruction.modRMOffset)
        group = (code[modRM] >> 3) & 7
        register = group | (rex & 4) << 1
        decodeAddress(modRM, rex, instruction)
    }

    private mutating func decodeAddress(_ modRM: Int, _ rex: UInt8, _ instruction: Instruction) {
        let mode = code[modRM] >> 6
        var base = code[modRM] & 7
        if mode == 3 {
            directRegister = base | (rex & 1) << 3
            return
        }
        var displacement = modRM + 1
        if base == 4 {
            let sib = code[modRM + 1]
            guard (sib >> 3) & 7 == 4, rex & 2 == 0 else { return }
            base = sib & 7
            displacement += 1
        }
        if mode == 0 {
            if base != 5 { memory = Memory(base: base | (rex & 1) << 3, displacement: 0) }
            return
        }
        let value: Int32
        if mode == 1 {
            value = Int32(Int8(bitPattern: code[displacement]))
        } else {
            value = code.loadUnaligned(fromByteOffset: displacement, as: Int32.self)
        }
        memory = Memory(base: base | (rex & 1) << 3, displacement: value)
    }

    /// The immediate of 8 bits that ends the instruction.
    var immediate8: Int64 { Int64(Int8(bitPattern: code[end - 1])) }

    /// The immediate of 32 bits that ends the instruction.
    var immediate32: Int64 {
        Int64(code.loadUnaligned(fromByteOffset: end - 4, as: Int32.self))
    }

    /// The immediate of `mov $…,%r64` (B8 with REX.W).
    var immediate64: Int64 { code.loadUnaligned(fromByteOffset: end - 8, as: Int64.self) }
}
