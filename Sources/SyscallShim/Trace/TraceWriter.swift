import Kernel
import Platform

/// The line that `--strace` is writing, and who writes it.
///
/// A line is begun before its call and ended after it, and written at once: `finish` finds it still
/// open, or sees that somebody else's line came between and begins one that says "resumed".
struct TraceWriter {
    /// Longer lines are cut.
    static let lineSize = 4096
    /// Room that arguments leave for what ends a line.
    private static let tailSize = 256
    /// Where results begin in strace(1).
    private static let resultColumn = 40

    /// Who writes, as it appears in front of a line.
    struct Author {
        var thread: Int32
        /// Whether its process has other threads.
        var isOneOfMany: Bool
    }

    var line: TraceBuffer
    private var openTicket: UInt64 = 0
    private var openThread: Int32 = 0
    private var lastTicket: UInt64 = 0

    init() { line = TraceBuffer(capacity: TraceWriter.lineSize + 1) }

    /// Begins a line; `finish` wants what it returns.
    mutating func begin(_ author: Author) -> UInt64 {
        interrupt(author)
        startLine(author)
        lastTicket &+= 1
        openTicket = lastTicket
        openThread = author.thread
        return lastTicket
    }

    /// Makes room for another line while one is open.
    private mutating func interrupt(_ author: Author) {
        guard openTicket != 0 else { return }
        openTicket = 0
        line.closeCut(newLimit: TraceWriter.lineSize)
        if openThread == author.thread {
            // The call did not return, as execve(2) does not: the thread is here without it.
            appendResultColumn()
            line.append("= ?")
        } else {
            line.append(" <unfinished ...>")
        }
        write()
    }

    /// Makes the line that `begin` gave the ticket the current one again.
    mutating func resume(_ ticket: UInt64, _ author: Author, _ name: UnsafeRawBufferPointer) {
        guard openTicket != ticket else { return }
        interrupt(author)
        startLine(author)
        line.append("<... ")
        line.append(name)
        line.append(" resumed>")
    }

    /// Leads to the result.
    mutating func appendResultColumn() {
        line.closeCut(newLimit: TraceWriter.lineSize)
        line.append(") ")
        line.pad(to: TraceWriter.resultColumn)
    }

    /// Ends and writes the current line.
    mutating func finish() {
        openTicket = 0
        line.closeCut(newLimit: TraceWriter.lineSize)
        write()
    }

    /// Begins a line that no call belongs to; `finish` ends it.
    mutating func beginRemark(_ author: Author) {
        interrupt(author)
        startLine(author)
    }

    /// Shows a call that is under way, before nothing happens for a while.
    mutating func flush() {
        guard openTicket != 0 else { return }
        openTicket = 0
        line.closeCut(newLimit: TraceWriter.lineSize)
        line.append(" <unfinished ...>")
        write()
    }

    private mutating func startLine(_ author: Author) {
        line.removeAll()
        line.limit = TraceWriter.lineSize - TraceWriter.tailSize
        guard author.isOneOfMany else { return }
        line.append("[pid ")
        line.append(Int(author.thread), width: 5)
        line.append("] ")
    }

    private mutating func write() {
        line.limit = line.capacity
        line.append(byte: 0x0a)
        TraceWriter.write(line.bytes, to: PLATFORM_STREAM_TRACE)
    }

    /// One write; what a reader that went away does not take is lost.
    static func write(_ bytes: UnsafeRawBufferPointer, to stream: platform_stream) {
        guard bytes.count > 0 else { return }
        var segment = platform_segment(
            base: UnsafeMutableRawPointer(mutating: bytes.baseAddress),
            length: UInt64(bytes.count)
        )
        _ = machine.pointee.stream_write(Int32(stream.rawValue), &segment, 1)
    }
}

extension TraceBuffer {
    /// A number with spaces in front up to `width`.
    mutating func append(_ number: Int, width: Int) {
        var rest = number.magnitude
        var length = 1
        while rest > 9 {
            rest /= 10
            length += 1
        }
        for _ in 0..<max(0, width - length) { append(byte: 0x20) }
        append(number)
    }
}
