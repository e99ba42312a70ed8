import Rewriter

/// Where a value lies at one point of a program.
enum ValueLocation: Hashable {
    case register(UInt8)
    /// That many bytes above %rsp.
    case stack(Int32)
    /// That many bytes above %rbp.
    case frame(Int32)

    private static let stackPointer: UInt8 = 4
    private static let framePointer: UInt8 = 5

    /// A stack slot, when the operand is one.
    init?(_ memory: Operands.Memory?) {
        switch memory?.base {
        case Self.stackPointer: self = .stack(memory?.displacement ?? 0)
        case Self.framePointer: self = .frame(memory?.displacement ?? 0)
        default: return nil
        }
    }
}

/// Where a value, seen after an instruction, came from.
enum ValueOrigin: Equatable {
    case constant(Int64)
    /// It lay there before the instruction.
    case location(ValueLocation)
    /// It lay in one of two places before: a conditional move.
    case either(ValueLocation, ValueLocation)
    /// Its low byte; the rest lay there before.
    case lowByte(UInt8)
    case unknown
}

extension ValueLocation {
    /// Where the value that lies here after the instruction was before it.
    ///
    /// Stores through other pointers, and called functions, are taken not to touch the caller's
    /// stack slots: compilers spill there what nobody else knows.
    func origin(before operands: Operands) -> ValueOrigin {
        switch self {
        case .register(let register): originOfRegister(register, operands)
        case .stack(let offset): originOfStack(offset, operands)
        case .frame(let offset): originOfFrame(offset, operands)
        }
    }

    private func originOfRegister(_ register: UInt8, _ operands: Operands) -> ValueOrigin {
        let written = WrittenRegisters.of(operands)
        guard written >> UInt16(register) & 1 == 1 else { return .location(self) }
        guard !operands.hasOperandSize else { return .unknown }
        return operands.map == .oneByte
            ? assigned(register, operands) : conditional(register, operands)
    }

    /// What a one-byte opcode that writes the register puts into it.
    private func assigned(_ register: UInt8, _ operands: Operands) -> ValueOrigin {
        let source = operands.directRegister
        switch operands.opcode {
        case 0x29, 0x2b, 0x31, 0x33:
            return source == operands.register ? .constant(0) : .unknown
        case 0x58...0x5f: return register == 4 ? .unknown : .location(.stack(0))
        case 0x63, 0x8b:
            if let source { return .location(.register(source)) }
            return ValueLocation(operands.memory).map { .location($0) } ?? .unknown
        case 0x89: return .location(.register(operands.register))
        case 0xb0...0xb7:
            let isLow = operands.hasREX || operands.opcodeRegister < 4
            guard isLow, operands.opcodeRegister == register else { return .unknown }
            return .lowByte(UInt8(truncatingIfNeeded: operands.immediate8))
        case 0xb8...0xbf:
            return .constant(operands.isWide ? operands.immediate64 : operands.immediate32)
        case 0xc7: return .constant(operands.immediate32)
        default: return .unknown
        }
    }

    private func conditional(_ register: UInt8, _ operands: Operands) -> ValueOrigin {
        let isMove = operands.map == .escape0F && 0x40...0x4f ~= operands.opcode
        guard isMove else { return .unknown }
        if let source = operands.directRegister { return .either(self, .register(source)) }
        return ValueLocation(operands.memory).map { .either(self, $0) } ?? .unknown
    }

    /// What an instruction stores into this very slot, or `nil` when it stores elsewhere.
    private func stored(_ operands: Operands) -> ValueOrigin? {
        guard operands.map == .oneByte, ValueLocation(operands.memory) == self else { return nil }
        switch operands.opcode {
        case 0x89: return .location(.register(operands.register))
        case 0xc7: return operands.hasOperandSize ? .unknown : .constant(operands.immediate32)
        case 0x38...0x3b, 0x03, 0x0b, 0x13, 0x1b, 0x23, 0x2b, 0x33, 0x63, 0x69, 0x6b, 0x84, 0x85,
            0x8b, 0x8d:
            return nil
        case 0xff: return operands.group < 2 ? .unknown : nil
        case 0x80...0x83, 0xf6, 0xf7:
            let onlyReads = operands.opcode < 0x84 ? operands.group == 7 : operands.group < 2
            return onlyReads ? nil : .unknown
        default: return .unknown
        }
    }

    private func originOfStack(_ offset: Int32, _ operands: Operands) -> ValueOrigin {
        if let stored = stored(operands) { return stored }
        guard operands.map == .oneByte else { return .location(self) }
        switch operands.opcode {
        case 0x50...0x57, 0x68, 0x6a:
            if offset >= 8 { return .location(.stack(offset - 8)) }
            switch operands.opcode {
            case 0x68: return .constant(operands.immediate32)
            case 0x6a: return .constant(operands.immediate8)
            default: return .location(.register(operands.opcodeRegister))
            }
        case 0x58...0x5f: return .location(.stack(offset &+ 8))
        case 0xff where operands.group == 6:
            return offset >= 8 ? .location(.stack(offset - 8)) : .unknown
        case 0xe8, 0xff: return .location(self)
        default: break
        }
        guard WrittenRegisters.of(operands) >> 4 & 1 == 1 else { return .location(self) }
        return Self.adjustment(operands).map { .location(.stack(offset &+ $0)) } ?? .unknown
    }

    /// What `sub`, `add` or `lea` adds to %rsp.
    private static func adjustment(_ operands: Operands) -> Int32? {
        switch (operands.opcode, operands.group) {
        case (0x83, 0): return Int32(truncatingIfNeeded: operands.immediate8)
        case (0x83, 5): return 0 &- Int32(truncatingIfNeeded: operands.immediate8)
        case (0x81, 0): return Int32(truncatingIfNeeded: operands.immediate32)
        case (0x81, 5): return 0 &- Int32(truncatingIfNeeded: operands.immediate32)
        case (0x8d, _):
            guard let memory = operands.memory, memory.base == stackPointer else { return nil }
            return memory.displacement
        default: return nil
        }
    }

    private func originOfFrame(_ offset: Int32, _ operands: Operands) -> ValueOrigin {
        if let stored = stored(operands) { return stored }
        guard WrittenRegisters.of(operands) >> 5 & 1 == 1 else { return .location(self) }
        guard operands.map == .oneByte else { return .unknown }
        let isMove = operands.opcode == 0x89 && operands.register == Self.stackPointer
        if isMove { return .location(.stack(offset)) }
        guard operands.opcode == 0x8d, let memory = operands.memory,
            memory.base == Self.stackPointer
        else { return .unknown }
        return .location(.stack(offset &+ memory.displacement))
    }
}
