import Kernel
import LaunchRecord
import LinuxABI
import Platform

/// `--strace` and `--stats`: every call passes through here when one of them was asked for, and
/// none does otherwise.
///
/// `install` puts one traced handler in the place of all of the dispatch table's, so a run without
/// tracing pays nothing, and calls are seen whether they were rewritten or caught.
public enum Tracer {
    /// Whether calls whose handlers work on the frame, and unknown ones, must come through here.
    nonisolated(unsafe) public private(set) static var isOn = false

    nonisolated(unsafe) static var options = LaunchOptions(rawValue: 0)
    nonisolated(unsafe) static var filter = TraceFilter()
    nonisolated(unsafe) static var calls: TracedCalls! = nil
    nonisolated(unsafe) static var writer: TraceWriter! = nil
    /// Calls with a number beyond the table.
    nonisolated(unsafe) static var unknownCalls: UInt64 = 0
    /// What was in use before the first process was made: the base line to which it all comes back.
    nonisolated(unsafe) static var baseLine = MemoryCount()

    static var shows: Bool { options.contains(.trace) }
    static var counts: Bool { options.contains(.statistics) }

    /// Takes the dispatch table over when `options` ask for it. Called once, after
    /// `SystemCallTable.install`.
    public static func install(_ options: LaunchOptions, _ filter: TraceFilter) {
        self.options = options
        self.filter = filter
        guard shows || counts else { return }
        calls = TracedCalls()
        system_call_table_fill(tracedHandler)
        SystemCallTable.setFrameHandlers()
        writer = TraceWriter()
        unknownCalls = 0
        Tasks.observer = TraceObserver()
        isOn = true
        baseLine = MemoryCount.now
    }

    /// As above, with the filter as the launch record holds it. `unirun` has refused a wrong one;
    /// from elsewhere it shows everything.
    public static func install(_ options: LaunchOptions, filterText: UnsafeRawBufferPointer) {
        var filter = TraceFilter()
        if case .filter(let parsed) = TraceFilter.parse(filterText) { filter = parsed }
        install(options, filter)
    }

    // MARK: Calls

    /// A call whose handler works on the frame: `kernel_frame_call` comes through here.
    public static func traceFrameCall(
        _ number: Int,
        _ frame: UnsafeMutablePointer<trap_frame>,
        _ handler: FrameHandler
    ) -> Int {
        let words = frame.pointee
        let registers: InlineArray<6, UInt> = [
            UInt(words.rdi), UInt(words.rsi), UInt(words.rdx), UInt(words.r10), UInt(words.r8),
            UInt(words.r9),
        ]
        var run = TracedRun(number, registers)
        run.begin()
        let result = handler(frame)
        run.end(result)
        return result
    }

    /// A call whose number is beyond the table: `kernel_unknown_call` comes through here.
    public static func traceUnknown(_ number: UInt64) {
        unknownCalls &+= 1
        guard shows, filter.showsUnknown else { return }
        _ = writer.begin(author)
        appendUnknownName(number)
        // The entry keeps the arguments below the number, the first on top: entry.S.
        let words = UnsafePointer<UInt>(
            bitPattern: UInt(cpu_current().pointee.kernel_stack) &- 40
        )
        for index in 0..<6 {
            if index > 0 { writer.line.append(", ") }
            writer.line.append(hexadecimal: UInt64(words?[-index] ?? 0))
        }
        writer.appendResultColumn()
        writer.line.append("= ")
        writer.line.append(error: Int(Errno.notImplemented.rawValue))
        writer.finish()
    }

    static func appendUnknownName(_ number: UInt64) {
        writer.line.append("syscall_")
        writer.line.append(hexadecimal: number)
        writer.line.append("(")
    }

    /// The thread that runs.
    static var author: TraceWriter.Author {
        guard cpu_current_thread() != nil else {
            return TraceWriter.Author(thread: 0, isOneOfMany: false)
        }
        return TraceWriter.Author(
            thread: Thread.current.id,
            isOneOfMany: Process.current.threadCount > 1
        )
    }
}

/// Stands in the dispatch table for the handlers of all calls.
private func tracedHandler(
    _ first: UInt,
    _ second: UInt,
    _ third: UInt,
    _ fourth: UInt,
    _ fifth: UInt,
    _ sixth: UInt
) -> Int {
    let number = Int(
        truncatingIfNeeded: system_call_number(cpu_current().pointee.kernel_stack)
            & UInt64(SYSTEM_CALL_COUNT - 1)
    )
    return Tracer.traceCall(number, [first, second, third, fourth, fifth, sixth])
}

extension Tracer {
    /// A call that is answered from its registers.
    static func traceCall(_ number: Int, _ registers: InlineArray<6, UInt>) -> Int {
        var run = TracedRun(number, registers)
        run.begin()
        let result = calls[number].handler(
            registers[0],
            registers[1],
            registers[2],
            registers[3],
            registers[4],
            registers[5]
        )
        run.end(result)
        return result
    }
}
