/// Where the stubs' calls arrive.
public struct StubEntries: Sendable {
    /// For every site: the program finds all its flags again, as the instruction leaves them.
    public var keepingFlags: UInt64
    /// For sites behind which the flags that computation leaves are overwritten before they are used.
    public var losingFlags: UInt64

    public init(keepingFlags: UInt64, losingFlags: UInt64) {
        self.keepingFlags = keepingFlags
        self.losingFlags = losingFlags
    }
}

extension SiteText {
    /// Whether the instructions behind the site overwrite OF, SF, ZF, AF, PF and CF before any of them
    /// could read one, fault or branch: `cmp $-4095,%rax`, as a rule, in a C library.
    var overwritesFlags: Bool {
        var offset = site + 2
        for _ in 0..<4 {
            guard let instruction = instruction(at: offset) else { return false }
            switch FlagUse(of: instruction, in: bytes, at: offset) {
            case .overwrites: return true
            case .none: offset += Int(instruction.length)
            case .other: return false
            }
        }
        return false
    }
}

/// What an instruction does with the flags of computation (SDM volume 1, appendix A).
enum FlagUse {
    /// Writes all of them and reads none. What is undefined afterwards counts as written.
    case overwrites
    /// Touches neither them nor memory.
    case none
    case other

    init(of instruction: Instruction, in bytes: UnsafeRawBufferPointer, at offset: Int) {
        self = .other
        let escape = instruction.map == .escape0F ? 1 : 0
        let prefixes = Int(instruction.opcodeOffset) - escape
        // No prefix but REX: LOCK would make some of them undefined.
        guard prefixes == 0 || prefixes == 1 && bytes[offset] & 0xf0 == 0x40 else { return }
        let hasOperands = instruction.modRMOffset != 0
        let operands = hasOperands ? bytes[offset + Int(instruction.modRMOffset)] : 0xc0
        let opcode = instruction.opcode
        switch instruction.map {
        case .oneByte where opcode == 0x8d: self = .none
        case _ where operands < 0xc0: return
        case .oneByte: self = FlagUse(oneByte: opcode, operands >> 3 & 7)
        case .escape0F: if opcode & 0xf6 == 0xb6 { self = .none }
        default: return
        }
    }

    /// `extension`: the ModRM byte's register field, where it belongs to the opcode.
    private init(oneByte opcode: UInt8, _ extension: UInt8) {
        let carries: ClosedRange<UInt8> = 2...3
        switch opcode {
        // add, or, and, sub, xor, cmp; adc and sbb read CF.
        case 0x00..<0x40 where opcode & 7 < 6 && !carries.contains(opcode >> 3): self = .overwrites
        case 0x80, 0x81, 0x83: self = carries.contains(`extension`) ? .other : .overwrites
        // test
        case 0x84, 0x85, 0xa8, 0xa9: self = .overwrites
        // test, neg
        case 0xf6, 0xf7: self = `extension` == 0 || `extension` == 3 ? .overwrites : .other
        // mov, movsxd, nop
        case 0x63, 0x88...0x8b, 0x90, 0xb0...0xbf: self = .none
        case 0xc6, 0xc7: self = `extension` == 0 ? .none : .other
        default: self = .other
        }
    }
}
