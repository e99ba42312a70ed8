import Rewriter

/// The general registers that an instruction may write, as bits; all of them when in doubt.
struct WrittenRegisters {
    static let all: UInt16 = 0xffff
    static let rax: UInt16 = 1 << 0
    private static let rcx: UInt16 = 1 << 1
    private static let rdx: UInt16 = 1 << 2
    private static let rbx: UInt16 = 1 << 3
    private static let rsp: UInt16 = 1 << 4
    private static let rbp: UInt16 = 1 << 5
    private static let rsi: UInt16 = 1 << 6
    private static let rdi: UInt16 = 1 << 7
    private static let r11: UInt16 = 1 << 11
    /// What a called function may change: all but %rbx, %rbp, %rsp and %r12 to %r15.
    static let callerSaved: UInt16 = 0x0fc7

    static func of(_ operands: Operands) -> UInt16 {
        switch operands.map {
        case .oneByte: oneByte(operands)
        case .escape0F: afterEscape(operands)
        case .escape0F38: operands.opcode & 0xf0 == 0xf0 ? all : 0
        case .escape0F3A: 0x14...0x17 ~= operands.opcode ? destination(operands) : 0
        case .vector: vector(operands.opcode)
        }
    }

    /// The ModRM operand, when it is a register. Bytes may name %ah to %bh.
    private static func destination(_ operands: Operands) -> UInt16 {
        operands.directRegister.map { either($0, operands) } ?? 0
    }

    private static func either(_ register: UInt8, _ operands: Operands) -> UInt16 {
        let isByte = operands.map == .oneByte && operands.opcode & 1 == 0
        let mayBeHigh = isByte && !operands.hasREX && register >= 4
        return 1 << UInt16(register) | (mayBeHigh ? 1 << UInt16(register & 3) : 0)
    }

    private static func oneByte(_ operands: Operands) -> UInt16 {
        let opcode = operands.opcode
        switch opcode {
        case 0x00..<0x40: return arithmetic(operands)
        case 0x50...0x57, 0x68, 0x6a: return rsp
        case 0x58...0x5f: return rsp | 1 << UInt16(operands.opcodeRegister)
        case 0x63, 0x69, 0x6b, 0x8a, 0x8b, 0x8d: return either(operands.register, operands)
        case 0x70...0x7f, 0x84, 0x85, 0x9b...0x9e, 0xa2...0xa3, 0xa8, 0xa9, 0xcc, 0xe9, 0xeb, 0xf4,
            0xf5, 0xf8...0xfd:
            return 0
        case 0x80...0x83: return operands.group == 7 ? 0 : destination(operands)
        case 0x86, 0x87: return destination(operands) | either(operands.register, operands)
        case 0x88, 0x89, 0xc0, 0xc1, 0xc6, 0xc7, 0xd0...0xd3, 0xfe: return destination(operands)
        case 0x8f: return rsp | destination(operands)
        case 0x90...0x97: return operands.opcodeRegister == 0 ? 0 : rax | opcodeRegister(operands)
        case 0x98, 0xa0, 0xa1, 0x9f: return rax
        case 0x99: return rdx
        case 0xa4...0xa7, 0xaa, 0xab, 0xae, 0xaf: return rcx | rsi | rdi
        case 0xac, 0xad: return rax | rcx | rsi
        case 0xb0...0xb7:
            return 1 << UInt16(operands.opcodeRegister) | opcodeRegister(operands) >> 4
        case 0xb8...0xbf: return opcodeRegister(operands)
        case 0xc9: return rsp | rbp
        case 0xd8...0xdf: return opcode == 0xdf ? rax : 0
        case 0xe8: return callerSaved
        case 0xf6, 0xf7: return unary(operands)
        case 0xff: return indirect(operands)
        default: return all
        }
    }

    private static func opcodeRegister(_ operands: Operands) -> UInt16 {
        1 << UInt16(operands.opcodeRegister)
    }

    private static func arithmetic(_ operands: Operands) -> UInt16 {
        if operands.opcode >= 0x38 { return 0 }
        switch operands.opcode & 7 {
        case 0, 1: return destination(operands)
        case 2, 3: return either(operands.register, operands)
        default: return rax
        }
    }

    private static func unary(_ operands: Operands) -> UInt16 {
        switch operands.group {
        case 0, 1: 0
        case 2, 3: destination(operands)
        default: rax | rdx
        }
    }

    private static func indirect(_ operands: Operands) -> UInt16 {
        switch operands.group {
        case 0, 1: destination(operands)
        case 2, 3: callerSaved
        case 6: rsp
        default: 0
        }
    }

    private static func afterEscape(_ operands: Operands) -> UInt16 {
        switch operands.opcode {
        case 0x05: return rax | rcx | r11
        case 0x01: return rax | rdx | rcx
        case 0x0b, 0x0d...0x1f, 0x28...0x2b, 0x2e, 0x2f, 0x51...0x7d, 0x7f...0x8f, 0xa3, 0xc2, 0xc4,
            0xc6, 0xd0...0xd6, 0xd8...0xff:
            return 0
        case 0x31, 0x32, 0x33: return rax | rdx
        case 0x2c, 0x2d, 0x40...0x50, 0xaf, 0xb6...0xb8, 0xbc...0xbf, 0xc5, 0xd7:
            return 1 << UInt16(operands.register)
        case 0x7e, 0xa4, 0xa5, 0xab...0xad, 0xae, 0xb3, 0xba, 0xbb: return destination(operands)
        case 0x90...0x9f: return destinationOfByte(operands)
        case 0xa2: return rax | rbx | rcx | rdx
        case 0xb0, 0xb1: return rax | destinationOfByte(operands)
        case 0xc0, 0xc1: return destinationOfByte(operands) | 1 << UInt16(operands.register)
        case 0xc7: return rax | rdx | destination(operands)
        case 0xc8...0xcf: return opcodeRegister(operands)
        default: return all
        }
    }

    private static func destinationOfByte(_ operands: Operands) -> UInt16 {
        guard let register = operands.directRegister else { return 0 }
        return 1 << UInt16(register) | 1 << UInt16(register & 3)
    }

    /// Vector instructions with a general register as their result; which one is not decoded.
    private static func vector(_ opcode: UInt8) -> UInt16 {
        switch opcode {
        case 0x14...0x17, 0x2c, 0x2d, 0x50, 0x78, 0x79, 0x7e, 0x93, 0xc5, 0xd7, 0xf0...0xf7: all
        default: 0
        }
    }
}
