/// How a terminal treats what goes through it, as Linux has it: `struct termios` and `termios2` of
/// asm-generic/termbits.h, described in termios(3). Only what the kernel's own terminal knows has a name.
public struct TerminalModes: Equatable {
    public var input: Input
    public var output: Output
    public var control: UInt32
    public var local: Local
    public var line: UInt8 = 0
    private var characters: InlineArray<19, UInt8>
    public var inputSpeed: UInt32
    public var outputSpeed: UInt32

    /// Bytes of a `struct termios`, and of a `struct termios2`, which also holds the speeds.
    public static var size: Int { 36 }
    public static var sizeWithSpeeds: Int { 44 }

    /// As a serial terminal begins on Linux, at its console's speed, and for text in UTF-8.
    public init() {
        input = [.returnToNewline, .flowControl, .isUTF8]
        output = [.processes, .newlineToBoth]
        // B115200, CS8, CREAD, HUPCL
        control = 0x1002 | 0x30 | 0x80 | 0x400
        local = [
            .signals, .lines, .echo, .echoErase, .echoKill, .echoControl, .echoKillErases,
            .extended,
        ]
        characters = [3, 28, 0x7f, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0]
        inputSpeed = 115200
        outputSpeed = 115200
    }

    /// As a pseudo-terminal begins on Linux.
    public static var pseudoterminal: TerminalModes {
        var modes = TerminalModes()
        modes.input.remove(.isUTF8)
        // B38400, CS8, CREAD
        modes.control = 0xf | 0x30 | 0x80
        modes.inputSpeed = 38400
        modes.outputSpeed = 38400
        return modes
    }

    public static func == (left: TerminalModes, right: TerminalModes) -> Bool {
        left.input == right.input && left.output == right.output && left.control == right.control
            && left.local == right.local && left.line == right.line
            && left.characters.indices.allSatisfy { left.characters[$0] == right.characters[$0] }
            && left.inputSpeed == right.inputSpeed && left.outputSpeed == right.outputSpeed
    }

    // MARK: Flags

    /// `c_iflag`
    public struct Input: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let ignoresBreak = Input(rawValue: 0x1)
        public static let breakInterrupts = Input(rawValue: 0x2)
        public static let strips = Input(rawValue: 0x20)
        public static let newlineToReturn = Input(rawValue: 0x40)
        public static let ignoresReturn = Input(rawValue: 0x80)
        public static let returnToNewline = Input(rawValue: 0x100)
        /// `IXON`
        public static let flowControl = Input(rawValue: 0x400)
        public static let anyRestarts = Input(rawValue: 0x800)
        public static let bellWhenFull = Input(rawValue: 0x2000)
        public static let isUTF8 = Input(rawValue: 0x4000)
    }

    /// `c_oflag`
    public struct Output: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let processes = Output(rawValue: 0x1)
        /// `ONLCR`
        public static let newlineToBoth = Output(rawValue: 0x4)
        public static let returnToNewline = Output(rawValue: 0x8)
        public static let noReturnAtStart = Output(rawValue: 0x10)
        public static let newlineReturns = Output(rawValue: 0x20)
        /// `XTABS`
        public static let expandsTabs = Output(rawValue: 0x1800)
    }

    /// `c_lflag`
    public struct Local: OptionSet, Sendable {
        public let rawValue: UInt32
        public init(rawValue: UInt32) { self.rawValue = rawValue }

        public static let signals = Local(rawValue: 0x1)
        /// `ICANON`
        public static let lines = Local(rawValue: 0x2)
        public static let echo = Local(rawValue: 0x8)
        public static let echoErase = Local(rawValue: 0x10)
        public static let echoKill = Local(rawValue: 0x20)
        public static let echoNewline = Local(rawValue: 0x40)
        public static let keepsQueues = Local(rawValue: 0x80)
        public static let echoControl = Local(rawValue: 0x200)
        public static let echoKillErases = Local(rawValue: 0x800)
        /// `TOSTOP`
        public static let stopsBackground = Local(rawValue: 0x100)
        public static let extended = Local(rawValue: 0x8000)
    }

    /// `CRTSCTS`, of `c_cflag`
    public var usesHardwareFlowControl: Bool { control & 0x8000_0000 != 0 }

    // MARK: Characters

    /// Indexes of `c_cc`.
    public enum Character: Int {
        case interrupt, quit, erase, kill, endOfFile, time, minimum, change, start, stop, suspend
        case endOfLine, reprint, discard, wordErase, literal, endOfLine2
    }

    public subscript(character: Character) -> UInt8 {
        get { characters[character.rawValue] }
        set { characters[character.rawValue] = newValue }
    }

    /// Whether a byte is a special character; zero turns one off.
    public func isSpecial(_ byte: UInt8, _ character: Character) -> Bool {
        byte != 0 && self[character] == byte
    }

    // MARK: As in memory

    /// Fills a structure of one of the two sizes.
    public func store(into bytes: UnsafeMutableRawBufferPointer) {
        guard bytes.count >= Self.size else { return }
        bytes.storeBytes(of: input.rawValue, as: UInt32.self)
        bytes.storeBytes(of: output.rawValue, toByteOffset: 4, as: UInt32.self)
        bytes.storeBytes(of: control, toByteOffset: 8, as: UInt32.self)
        bytes.storeBytes(of: local.rawValue, toByteOffset: 12, as: UInt32.self)
        bytes[16] = line
        for index in characters.indices { bytes[17 + index] = characters[index] }
        guard bytes.count >= Self.sizeWithSpeeds else { return }
        bytes.storeBytes(of: inputSpeed, toByteOffset: 36, as: UInt32.self)
        bytes.storeBytes(of: outputSpeed, toByteOffset: 40, as: UInt32.self)
    }

    /// Takes what a structure of one of the two sizes says; the smaller leaves the speeds to
    /// `c_cflag`.
    public mutating func load(from bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.size else { return }
        input = Input(rawValue: bytes.loadUnaligned(as: UInt32.self))
        output = Output(rawValue: bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        control = bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        local = Local(rawValue: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
        line = bytes[16]
        for index in characters.indices { characters[index] = bytes[17 + index] }
        if let speed { (inputSpeed, outputSpeed) = (speed, speed) }
        let other: UInt32 = 0x1000  // BOTHER
        guard bytes.count >= Self.sizeWithSpeeds, control & 0x100f == other else { return }
        inputSpeed = bytes.loadUnaligned(fromByteOffset: 36, as: UInt32.self)
        outputSpeed = bytes.loadUnaligned(fromByteOffset: 40, as: UInt32.self)
    }

    /// What `c_cflag` says in bits a second; nil for what serial ports of PCs do not do.
    private var speed: UInt32? {
        switch control & 0x100f {
        case 7: 300
        case 8: 600
        case 9: 1200
        case 11: 2400
        case 12: 4800
        case 13: 9600
        case 14: 19200
        case 15: 38400
        case 0x1001: 57600
        case 0x1002: 115200
        default: nil
        }
    }
}
