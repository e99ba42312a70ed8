import LinuxABI

/// What lies between a terminal's device and the program: lines and their editing, echo, signals, flow
/// control and the ends of lines, by termios(3) and as Linux does it.
public struct LineDiscipline {
    public internal(set) var modes = TerminalModes()
    /// Output waits: the user typed Ctrl-S, or the program asked for it.
    public internal(set) var isStopped = false

    /// What was typed and not read yet, and what of it the program may have: whole lines.
    var typed: Ring<TypedByte>
    var readable: Int
    /// What goes to the device.
    var output: Ring<UInt8>
    /// The next byte is no special character.
    var isLiteral = false
    /// Where the cursor is, and where it was when the line began that is being typed.
    var column = 0
    var lineColumn = 0

    /// - Parameters:
    ///   - typed: room for what was typed; `output`: for what goes to the device. A power of two each.
    public init(
        typed: UnsafeMutableBufferPointer<TypedByte>,
        output: UnsafeMutableBufferPointer<UInt8>
    ) {
        self.typed = Ring(typed)
        self.output = Ring(output)
        readable = self.typed.end
    }

    var hasLines: Bool { modes.local.contains(.lines) }

    // MARK: The program's side

    public var isReadable: Bool {
        guard !hasLines else { return readable != typed.start }
        // Who waits for a time as well is to come and look.
        let least = modes[.time] == 0 ? Int(modes[.minimum]) : 1
        return typed.count >= max(least, 1)
    }

    /// What FIONREAD tells.
    public var readableCount: Int { hasLines ? readable - typed.start : typed.count }

    /// Takes a line or a part of it, or where there are no lines, all there is. Zero is the end of the
    /// file, nil that there is nothing.
    public mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int? {
        guard readableCount > 0 else { return nil }
        var count = 0
        while count < target.count, readableCount > 0 {
            let next = typed.removeFirst()
            if hasLines, next.isEndOfFile { return count }
            target[count] = next.byte
            count += 1
            if hasLines, next.endsLine { return count }
        }
        // An end of file right behind is what ended this read.
        if hasLines, readableCount > 0, typed.first.isEndOfFile { _ = typed.removeFirst() }
        return count
    }

    /// Room that is left to echo what is typed while a program writes much.
    private static var echoRoom: Int { 64 }
    private static var tabWidth: Int { 8 }

    public var isWritable: Bool { output.room > Self.echoRoom + Self.tabWidth }

    /// Takes what a program writes; how much of it.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        var count = 0
        while count < bytes.count, isWritable {
            put(bytes[count])
            count += 1
        }
        return count
    }

    // MARK: Modes

    /// What there is stays: where lines begin to matter, all of it is one, and where they end to, it
    /// may be read at once.
    public mutating func set(_ new: TerminalModes) {
        let hadLines = hasLines
        modes = new
        if !modes.input.contains(.flowControl) { isStopped = false }
        guard hadLines != hasLines else { return }
        isLiteral = false
        readable = typed.end
        guard hasLines, typed.count > 0 else { return }
        typed.forEach { $0.endsLine = false }
        typed.last.endsLine = true
    }

    /// Forgets what was typed.
    public mutating func flushInput() {
        typed.removeAll()
        readable = typed.end
        isLiteral = false
    }

    /// Forgets what was not sent yet.
    public mutating func flushOutput() { output.removeAll() }

    public mutating func stop() { isStopped = true }
    public mutating func restart() { isStopped = false }

    /// Asks the other side to send nothing, or to go on.
    public mutating func askToStop() { if modes[.stop] != 0 { emit(modes[.stop]) } }
    public mutating func askToGoOn() { if modes[.start] != 0 { emit(modes[.start]) } }

    // MARK: The device's side

    /// The next byte for the device; nil when there is none, or none may be sent.
    public mutating func nextOutput() -> UInt8? {
        isStopped || output.count == 0 ? nil : output.removeFirst()
    }

    public var hasOutput: Bool { !isStopped && output.count > 0 }

    /// What TIOCOUTQ tells.
    public var outputCount: Int { output.count }

    /// Whether the device may bring more. A line that is not whole needs its end, whatever its length.
    public var wantsInput: Bool {
        hasLines && readable == typed.start || typed.room > Self.inputRoom
    }

    private static var inputRoom: Int { 128 }
}

/// A byte that was typed, and what it means where there are lines.
public struct TypedByte: BitwiseCopyable {
    var byte: UInt8
    private var marks: UInt8 = 0

    init(_ byte: UInt8, endsLine: Bool = false) {
        self.byte = byte
        self.endsLine = endsLine
    }

    /// It ends a line, and belongs to it unless it is the end of the file.
    var endsLine: Bool {
        get { marks & 1 != 0 }
        set { marks = newValue ? marks | 1 : 0 }
    }

    var isEndOfFile: Bool { marks & 2 != 0 }

    static var endOfFile: TypedByte {
        var mark = TypedByte(0, endsLine: true)
        mark.marks |= 2
        return mark
    }
}

/// A queue of fixed size, whose memory is somebody else's. Places never come round.
struct Ring<Element: BitwiseCopyable> {
    private let memory: UnsafeMutableBufferPointer<Element>
    private(set) var start = 0
    private(set) var end = 0

    init(_ memory: UnsafeMutableBufferPointer<Element>) {
        precondition(memory.count > 0 && memory.count & (memory.count - 1) == 0)
        self.memory = memory
    }

    var count: Int { end - start }
    var room: Int { memory.count - count }

    subscript(place: Int) -> Element {
        get { memory[place & (memory.count - 1)] }
        nonmutating set { memory[place & (memory.count - 1)] = newValue }
    }

    var first: Element { self[start] }

    var last: Element {
        get { self[end - 1] }
        nonmutating set { self[end - 1] = newValue }
    }

    func forEach(_ body: (inout Element) -> Void) {
        for place in start..<end { body(&self[place]) }
    }

    /// Without room nothing happens.
    mutating func append(_ element: Element) {
        guard room > 0 else { return }
        self[end] = element
        end += 1
    }

    mutating func removeFirst() -> Element {
        defer { start += 1 }
        return first
    }

    mutating func removeLast() { end -= 1 }

    mutating func removeAll() { start = end }
}
