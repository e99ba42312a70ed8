import LinuxABI

/// The first line of a script, `#!interpreter [argument]`, as `execve(2)` reads it.
public struct ScriptLine: Equatable, Sendable {
    /// The kernel looks at no more of the file (BINPRM_BUF_SIZE).
    public static var maximumLength: Int { 256 }

    /// The interpreter's path, as a range of the bytes that were parsed.
    public let interpreter: Range<Int>
    /// The one argument: the rest of the line, inner blanks included.
    public let argument: Range<Int>?

    /// Whether the file's first bytes say that it is a script.
    public static func begins(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= 2 && bytes[0] == UInt8(ascii: "#") && bytes[1] == UInt8(ascii: "!")
    }

    /// Parses the first 256 bytes of a file, fewer when the file is shorter.
    ///
    /// A line that goes on past them is taken when its interpreter surely ended inside them; the
    /// argument is cut off then, as Linux does.
    public init(_ bytes: UnsafeRawBufferPointer) throws(LoadError) {
        guard ScriptLine.begins(bytes) else { throw .notELF }
        let line = UnsafeRawBufferPointer(rebasing: bytes.prefix(ScriptLine.maximumLength))
        var end = 2
        while end < line.count, line[end] != UInt8(ascii: "\n"), line[end] != 0 { end += 1 }
        // The last byte of a full buffer is never used: the kernel puts its zero there.
        let isCut = end >= ScriptLine.maximumLength
        if isCut { end = ScriptLine.maximumLength - 1 }

        let name = ScriptLine.skipBlanks(line, from: 2, to: end)
        guard name < end else { throw .badScriptLine }
        var nameEnd = name
        while nameEnd < end, !ScriptLine.isBlank(line[nameEnd]) { nameEnd += 1 }
        // Without a blank after it, a path that fills the buffer may itself have been cut.
        let isWhole = nameEnd < end || !isCut || ScriptLine.isBlank(line[end])
        guard isWhole else { throw .badScriptLine }
        interpreter = name..<nameEnd

        while end > nameEnd, ScriptLine.isBlank(line[end - 1]) { end -= 1 }
        let first = ScriptLine.skipBlanks(line, from: nameEnd, to: end)
        argument = first < end ? first..<end : nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func skipBlanks(
        _ line: UnsafeRawBufferPointer,
        from start: Int,
        to end: Int
    ) -> Int {
        var index = start
        while index < end, isBlank(line[index]) { index += 1 }
        return index
    }
}
