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
    /// A line without an end inside them is taken when its interpreter surely ended there; the
    /// argument is cut off then. Linux trims blanks only before a newline, so that a last line of
    /// `#!/bin/sh ` without one gives an empty argument: programs see the same here.
    public init(_ bytes: UnsafeRawBufferPointer) throws(LoadError) {
        guard ScriptLine.begins(bytes) else { throw .notELF }
        let line = Line(bytes)
        var end = line.newline ?? Line.last
        if line.newline == nil {
            guard let start = line.nonBlank(from: 2, through: end),
                line.terminator(from: start, through: end) != nil
            else { throw .badScriptLine }
        }
        while Line.isBlank(line[end - 1]) { end -= 1 }
        guard let name = line.nonBlank(from: 2, through: end), name != end else {
            throw .badScriptLine
        }
        let separator = line.terminator(from: name, through: end)
        interpreter = name..<(separator ?? end)
        guard let separator, line[separator] != 0,
            let start = line.nonBlank(from: separator, through: end)
        else {
            argument = nil
            return
        }
        argument = start..<line.zero(from: start, to: end)
    }

    /// The kernel's buffer: the file's begin, filled up with zeroes.
    private struct Line {
        /// The last byte, which never belongs to a string: the kernel puts a zero there.
        static var last: Int { ScriptLine.maximumLength - 1 }

        private let bytes: UnsafeRawBufferPointer

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        subscript(_ index: Int) -> UInt8 { index < bytes.count ? bytes[index] : 0 }

        static func isBlank(_ byte: UInt8) -> Bool {
            byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
        }

        /// Where the line ends, when it ends before a zero byte.
        var newline: Int? {
            var index = 0
            while index <= Line.last, self[index] != 0 {
                if self[index] == UInt8(ascii: "\n") { return index }
                index += 1
            }
            return nil
        }

        func nonBlank(from start: Int, through end: Int) -> Int? {
            var index = start
            while index <= end {
                if !Line.isBlank(self[index]) { return index }
                index += 1
            }
            return nil
        }

        /// The first blank or zero byte.
        func terminator(from start: Int, through end: Int) -> Int? {
            var index = start
            while index <= end {
                if Line.isBlank(self[index]) || self[index] == 0 { return index }
                index += 1
            }
            return nil
        }

        /// The first zero byte, or `end`.
        func zero(from start: Int, to end: Int) -> Int {
            var index = start
            while index < end, self[index] != 0 { index += 1 }
            return index
        }
    }
}
