import LinuxABI

/// What becomes of the bytes that a program writes, and of those that are echoed.
extension LineDiscipline {
    /// A byte by the output modes; its caller knows that there is room.
    mutating func put(_ byte: UInt8) {
        guard modes.output.contains(.processes) else { return emit(byte) }
        switch byte {
        case .newline:
            if modes.output.contains(.newlineToBoth) { emit(.carriageReturn) }
            emit(byte)
            if modes.output.contains(.newlineReturns) { column = 0 }
        case .carriageReturn:
            if modes.output.contains(.returnToNewline) { return emit(.newline) }
            if modes.output.contains(.noReturnAtStart), column == 0 { return }
            emit(byte)
        case .tab where modes.output.isSuperset(of: .expandsTabs):
            repeat { emit(UInt8(ascii: " ")) } while column & 7 != 0
        default: emit(byte)
        }
    }

    /// What was typed, control characters as `^C`.
    mutating func echo(_ byte: UInt8) {
        guard byte.isControl, byte != .tab, modes.local.contains(.echoControl) else {
            return put(byte)
        }
        emit(UInt8(ascii: "^"))
        emit(byte ^ 0x40)
    }

    /// A byte as it is.
    mutating func emit(_ byte: UInt8) {
        output.append(byte)
        switch byte {
        case .carriageReturn: column = 0
        case .backspace: column = max(column - 1, 0)
        case .tab: column = (column | 7) + 1
        case _ where byte.isControl: break
        case _ where modes.input.contains(.isUTF8) && byte.continuesCharacter: break
        default: column += 1
        }
    }
}
