/// Decodes the length and shape of x86-64 instructions in 64-bit mode.
///
/// Knows legacy, REX, VEX, EVEX and XOP encodings; operands are not interpreted. It answers `nil`
/// rather than guess: for undefined opcodes, for what does not fit into 15 bytes or the buffer,
/// and for 16-bit near branches, whose length differs between manufacturers.
public struct InstructionDecoder {
    private let bytes: UnsafeRawBufferPointer
    private let start: Int
    private var cursor: Int
    private var limit: Int
    private var result = Instruction()
    private var hasOperandSize = false
    private var hasRepeatNotEqual = false
    private var hasRepeat = false
    private var rex: UInt8 = 0

    /// The instruction at `offset` of `bytes`; nothing outside of `bytes` is read.
    public static func decode(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> Instruction? {
        guard offset >= 0, offset < bytes.count else { return nil }
        var decoder = InstructionDecoder(bytes, offset)
        guard decoder.run(), decoder.cursor <= decoder.limit else { return nil }
        decoder.result.length = UInt8(truncatingIfNeeded: decoder.cursor - offset)
        return decoder.result
    }

    private init(_ bytes: UnsafeRawBufferPointer, _ offset: Int) {
        self.bytes = bytes
        start = offset
        cursor = offset
        // The processor refuses longer instructions.
        limit = offset + min(15, bytes.count - offset)
    }

    /// The next byte, or `nil` at the limit.
    @inline(__always)
    private mutating func next() -> UInt8? {
        guard cursor < limit else { return nil }
        defer { cursor += 1 }
        return bytes[cursor]
    }

    @inline(__always)
    private var here: UInt8 { UInt8(truncatingIfNeeded: cursor - start) }

    private mutating func run() -> Bool {
        guard let opcode = prefixes() else { return false }
        switch opcode {
        case 0x0f: return escaped()
        case 0xc4: return vex(long: true)
        case 0xc5: return vex(long: false)
        case 0x62: return evex()
        case 0x8f:
            // XOP shares its byte with `pop`, whose register field is 0: maps begin at 8.
            if cursor < limit, bytes[cursor] & 0x1f >= 8 { return xop() }
        default: break
        }
        begin(.oneByte, opcode)
        guard operands(InstructionTables.operands(InstructionTables.oneByte, opcode)) else {
            return false
        }
        classify(opcode)
        return true
    }

    /// Skips the prefixes; a REX counts only directly before the opcode.
    private mutating func prefixes() -> UInt8? {
        while let byte = next() {
            switch byte {
            case 0x66: hasOperandSize = true
            case 0x67: result.hasAddressSizePrefix = true
            case 0xf2: hasRepeatNotEqual = true
            case 0xf3: hasRepeat = true
            case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0xf0: break
            case 0x40...0x4f:
                rex = byte
                continue
            default: return byte
            }
            rex = 0
        }
        return nil
    }

    private mutating func begin(_ map: Instruction.Map, _ opcode: UInt8) {
        result.map = map
        result.opcode = opcode
        result.opcodeOffset = here &- 1
    }

    private mutating func escaped() -> Bool {
        guard let opcode = next() else { return false }
        if opcode == 0x38 || opcode == 0x3a {
            guard let third = next() else { return false }
            begin(opcode == 0x38 ? .escape0F38 : .escape0F3A, third)
            return operands(opcode == 0x38 ? character("M") : character("B"))
        }
        begin(.escape0F, opcode)
        guard operands(InstructionTables.operands(InstructionTables.afterEscape, opcode)) else {
            return false
        }
        switch opcode {
        case 0x05: result.flow = .systemCall
        case 0x07, 0x34, 0x35: result.flow = .other
        case 0x0b, 0xb9, 0xff: result.flow = .stop
        case 0x1f: result.isPadding = true
        case 0x80...0x8f: result.flow = .conditionalBranch
        default: break
        }
        return true
    }

    private mutating func vex(long: Bool) -> Bool {
        // A VEX prefix after REX, 66, F2 or F3 is undefined.
        guard rex == 0, !hasOperandSize, !hasRepeat, !hasRepeatNotEqual else { return false }
        guard let payload = next() else { return false }
        var map: UInt8 = 1
        if long {
            guard next() != nil else { return false }
            map = payload & 0x1f
        }
        guard let opcode = next(), map >= 1, map <= 3 || map == 7 else { return false }
        begin(.vector, opcode)
        if map == 1, opcode == 0x77 { return true }
        return vectorOperands(map, opcode)
    }

    private mutating func evex() -> Bool {
        guard rex == 0, !hasOperandSize, !hasRepeat, !hasRepeatNotEqual else { return false }
        guard let payload = next(), next() != nil, next() != nil, let opcode = next() else {
            return false
        }
        let map = payload & 7
        guard map != 0, map != 4, map != 7 else { return false }
        begin(.vector, opcode)
        return vectorOperands(map, opcode)
    }

    private mutating func xop() -> Bool {
        guard rex == 0, !hasOperandSize, !hasRepeat, !hasRepeatNotEqual else { return false }
        guard let payload = next(), next() != nil, let opcode = next() else { return false }
        begin(.vector, opcode)
        switch payload & 0x1f {
        case 8: return operands(character("B"))
        case 9: return operands(character("M"))
        case 10: return operands(character("M")) && skip(4)
        default: return false
        }
    }

    private mutating func vectorOperands(_ map: UInt8, _ opcode: UInt8) -> Bool {
        switch map {
        case 3: return operands(character("B"))
        case 7: return operands(character("M")) && skip(4)
        case 1:
            switch opcode {
            case 0x70...0x73, 0xc2, 0xc4...0xc6: return operands(character("B"))
            default: return operands(character("M"))
            }
        default: return operands(character("M"))
        }
    }

    @inline(__always)
    private func character(_ scalar: Unicode.Scalar) -> UInt8 {
        UInt8(truncatingIfNeeded: scalar.value)
    }

    @inline(__always)
    private mutating func skip(_ count: Int) -> Bool {
        cursor += count
        return cursor <= limit
    }
}

extension InstructionDecoder {
    /// Width of an immediate that follows the operand size but has at most 32 bits.
    private var wordSize: Int { hasOperandSize && rex & 8 == 0 ? 2 : 4 }

    /// Skips what the table says follows the opcode.
    private mutating func operands(_ kind: UInt8) -> Bool {
        switch Unicode.Scalar(kind) {
        case ".": return true
        case "M": return modRM() != nil
        case "B": return modRM() != nil && skip(1)
        case "Z": return modRM() != nil && skip(wordSize)
        case "b": return skip(1)
        case "w": return skip(2)
        case "z": return skip(wordSize)
        case "e": return skip(3)
        case "v": return skip(rex & 8 != 0 ? 8 : wordSize)
        case "o": return skip(result.hasAddressSizePrefix ? 4 : 8)
        case "c":
            result.modRMOffset = here
            return skip(1)
        case "j":
            result.branchSize = 1
            return skip(1)
        case "J":
            // Intel ignores 66 here, AMD makes the displacement 16 bits wide.
            guard wordSize == 4 else { return false }
            result.branchSize = 4
            return skip(4)
        case "t", "T":
            guard let byte = modRM() else { return false }
            guard byte & 0x30 == 0 else { return true }
            return skip(kind == character("t") ? 1 : wordSize)
        case "s":
            guard modRM() != nil else { return false }
            return hasOperandSize || hasRepeatNotEqual ? skip(2) : true
        default: return false
        }
    }

    /// Skips ModRM, SIB and displacement; returns the ModRM byte.
    private mutating func modRM() -> UInt8? {
        result.modRMOffset = here
        guard let byte = next() else { return nil }
        let mode = byte >> 6
        if mode == 3 { return byte }
        var displacement = mode == 1 ? 1 : mode == 2 ? 4 : 0
        if byte & 7 == 4 {
            guard let sib = next() else { return nil }
            if mode == 0, sib & 7 == 5 { displacement = 4 }
        } else if mode == 0, byte & 7 == 5 {
            displacement = 4
            result.ripDisplacementOffset = here
        }
        return skip(displacement) ? byte : nil
    }

    /// Names the flow of a one-byte opcode.
    private mutating func classify(_ opcode: UInt8) {
        switch opcode {
        case 0x70...0x7f: result.flow = .conditionalBranch
        case 0xe0...0xe3: result.flow = .other
        case 0xeb, 0xe9: result.flow = .jump
        case 0xe8: result.flow = .call
        case 0xc2, 0xc3: result.flow = .return
        case 0xca, 0xcb, 0xcf: result.flow = .other
        case 0xf4: result.flow = .stop
        case 0xcc:
            result.flow = .stop
            result.isPadding = true
        case 0x90:
            // With REX.B it exchanges two registers; with F3 it is `pause`.
            result.isPadding = rex & 1 == 0 && !hasRepeat
        case 0xc7: if modRMByte == 0xf8 { result.flow = .other }
        case 0xff:
            switch (modRMByte >> 3) & 7 {
            case 2: result.flow = .indirectCall
            case 4: result.flow = .indirectJump
            case 3, 5: result.flow = .other
            default: break
            }
        default: break
        }
    }

    private var modRMByte: UInt8 { bytes[start + Int(result.modRMOffset)] }
}
