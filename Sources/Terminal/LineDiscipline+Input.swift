import LinuxABI

/// What becomes of the bytes that a user types.
extension LineDiscipline {
    /// Takes a byte from the device; the signal that it raises, if it does.
    public mutating func receive(_ byte: UInt8) -> Signal? {
        let byte = modes.input.contains(.strips) ? byte & 0x7f : byte
        if isLiteral {
            isLiteral = false
            take(byte)
            return nil
        }
        if takesFlowControl(byte) { return nil }
        if let signal = signal(byte) { return raise(signal, byte) }
        guard let byte = translated(byte) else { return nil }
        if !hasLines || !edits(byte) { take(byte) }
        return nil
    }

    /// The line was low for longer than a byte.
    public mutating func receiveBreak() -> Signal? {
        if modes.input.contains(.ignoresBreak) { return nil }
        if modes.input.contains(.breakInterrupts) { return raise(.interrupt, nil) }
        take(0)
        return nil
    }

    private mutating func takesFlowControl(_ byte: UInt8) -> Bool {
        guard modes.input.contains(.flowControl) else { return false }
        if modes.isSpecial(byte, .start) {
            isStopped = false
            return true
        }
        if modes.isSpecial(byte, .stop) {
            isStopped = true
            return true
        }
        if modes.input.contains(.anyRestarts) { isStopped = false }
        return false
    }

    // MARK: Signals

    private func signal(_ byte: UInt8) -> Signal? {
        guard modes.local.contains(.signals) else { return nil }
        if modes.isSpecial(byte, .interrupt) { return .interrupt }
        if modes.isSpecial(byte, .quit) { return .quit }
        return modes.isSpecial(byte, .suspend) ? .terminalStop : nil
    }

    private mutating func raise(_ signal: Signal, _ byte: UInt8?) -> Signal {
        if !modes.local.contains(.keepsQueues) {
            flushInput()
            flushOutput()
        }
        if modes.input.contains(.flowControl) { isStopped = false }
        if let byte, modes.local.contains(.echo) { echo(byte) }
        return signal
    }

    // MARK: Lines

    private func translated(_ byte: UInt8) -> UInt8? {
        switch byte {
        case .carriageReturn:
            if modes.input.contains(.ignoresReturn) { return nil }
            return modes.input.contains(.returnToNewline) ? .newline : byte
        case .newline: return modes.input.contains(.newlineToReturn) ? .carriageReturn : byte
        default: return byte
        }
    }

    /// Whether a byte edits or ends the line.
    private mutating func edits(_ byte: UInt8) -> Bool {
        let isExtended = modes.local.contains(.extended)
        if modes.isSpecial(byte, .erase) {
            eraseCharacter()
        } else if modes.isSpecial(byte, .kill) {
            killLine()
        } else if isExtended, modes.isSpecial(byte, .wordErase) {
            eraseWord()
        } else if isExtended, modes.isSpecial(byte, .literal) {
            isLiteral = true
            if modes.local.isSuperset(of: [.echo, .echoControl]) {
                emit(UInt8(ascii: "^"))
                emit(.backspace)
            }
        } else if isExtended, modes.local.contains(.echo), modes.isSpecial(byte, .reprint) {
            reprint(byte)
        } else if byte == .newline {
            if !modes.local.isDisjoint(with: [.echo, .echoNewline]) { put(.newline) }
            endLine(TypedByte(byte, endsLine: true))
        } else if modes.isSpecial(byte, .endOfFile) {
            endLine(.endOfFile)
        } else if modes.isSpecial(byte, .endOfLine)
            || isExtended && modes.isSpecial(byte, .endOfLine2)
        {
            if modes.local.contains(.echo) { echo(byte) }
            endLine(TypedByte(byte, endsLine: true))
        } else {
            return false
        }
        return true
    }

    private mutating func endLine(_ end: TypedByte) {
        typed.append(end)
        readable = typed.end
    }

    /// A byte of the line, or one that is read as it is.
    private mutating func take(_ byte: UInt8) {
        // The end of the line needs a place as well.
        guard typed.room > (hasLines ? 1 : 0) else {
            if modes.input.contains(.bellWhenFull) { emit(.bell) }
            return
        }
        if typed.end == readable { lineColumn = column }
        typed.append(TypedByte(byte))
        if !hasLines { readable = typed.end }
        guard modes.local.contains(.echo) else { return }
        if byte == .newline { put(byte) } else { echo(byte) }
    }

    // MARK: Editing

    private mutating func eraseCharacter() {
        guard typed.end > readable else { return }
        guard modes.local.contains(.echo), !modes.local.contains(.echoErase) else {
            return removeLast()
        }
        dropLast()
        echo(modes[.erase])
    }

    private mutating func killLine() {
        let erases: TerminalModes.Local = [.echo, .echoErase, .echoKill, .echoKillErases]
        let isErased = modes.local.isSuperset(of: erases)
        while typed.end > readable {
            if isErased { removeLast() } else { dropLast() }
        }
        guard modes.local.contains(.echo), !isErased else { return }
        echo(modes[.kill])
        if modes.local.contains(.echoKill) { put(.newline) }
    }

    /// The last word, and what stands behind it.
    private mutating func eraseWord() {
        var hasSeenWord = false
        while typed.end > readable {
            let isWord = Self.isWord(typed.last.byte)
            if hasSeenWord, !isWord { return }
            hasSeenWord = isWord
            removeLast()
        }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    /// Takes the last character away, all bytes of it; its first.
    @discardableResult
    private mutating func dropLast() -> UInt8 {
        let isUTF8 = modes.input.contains(.isUTF8)
        while typed.end - 1 > readable, isUTF8, typed.last.byte.continuesCharacter {
            typed.removeLast()
        }
        defer { typed.removeLast() }
        return typed.last.byte
    }

    /// The same, and away from the screen.
    private mutating func removeLast() {
        let byte = dropLast()
        guard modes.local.contains(.echo) else { return }
        if byte == .tab {
            let column = columnAfterLine()
            while self.column > column { emit(.backspace) }
        } else if byte.isControl {
            guard modes.local.contains(.echoControl) else { return }
            eraseCell()
            eraseCell()
        } else {
            eraseCell()
        }
    }

    private mutating func eraseCell() {
        emit(.backspace)
        emit(UInt8(ascii: " "))
        emit(.backspace)
    }

    /// Where the cursor is behind what is typed of the line.
    private func columnAfterLine() -> Int {
        var column = lineColumn
        for place in readable..<max(typed.end, readable) {
            let byte = typed[place].byte
            if byte == .tab {
                column = (column | 7) + 1
            } else if byte.isControl {
                column += modes.local.contains(.echoControl) ? 2 : 0
            } else if !(modes.input.contains(.isUTF8) && byte.continuesCharacter) {
                column += 1
            }
        }
        return column
    }

    private mutating func reprint(_ byte: UInt8) {
        echo(byte)
        put(.newline)
        lineColumn = column
        for place in readable..<max(typed.end, readable) { echo(typed[place].byte) }
    }
}

extension UInt8 {
    static var bell: UInt8 { 7 }
    static var backspace: UInt8 { 8 }
    static var tab: UInt8 { 9 }
    static var newline: UInt8 { 10 }
    static var carriageReturn: UInt8 { 13 }

    var isControl: Bool { self < 32 || self == 127 }

    /// Whether it is no first byte of a character in UTF-8.
    var continuesCharacter: Bool { self & 0xc0 == 0x80 }
}
