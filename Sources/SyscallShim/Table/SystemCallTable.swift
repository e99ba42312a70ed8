import Kernel
import LinuxABI
import Platform

/// All rows, and the dispatch table that is made from them.
public enum SystemCallTable {
    /// Calls `body` with each row, group by group.
    public static func forEach(_ body: (Row) -> Void) {
        visit(memoryMappingRows, body)
        visit(memoryAdviceRows, body)
        visit(threadRows, body)
        visit(futexRows, body)
        visit(signalRows, body)
        visit(timeRows, body)
        visit(identityRows, body)
        visit(processRows, body)
        visit(processControlRows, body)
        visit(executeRows, body)
        visit(unsupportedRows, body)
        visit(fileTransferRows, body)
        visit(filePathRows, body)
        visit(fileStatusRows, body)
        visit(fileControlRows, body)
        visit(filePollingRows, body)
        visit(unnamedFileRows, body)
    }

    /// The row of a number. It searches: not for hot paths.
    public static func row(_ number: Int) -> Row? {
        var found: Row?
        forEach { if Int($0.number) == number { found = $0 } }
        return found
    }

    // Inlined: a table that is lent to a function is copied to the stack first.
    @inline(__always)
    private static func visit<let count: Int>(
        _ rows: borrowing InlineArray<count, Row>,
        _ body: (Row) -> Void
    ) {
        for index in 0..<count { body(rows[index]) }
    }

    /// Handlers of the calls that work on the frame, by number.
    nonisolated(unsafe) private static var frameHandlers: UnsafeMutablePointer<FrameHandler?>!

    /// Fills the table that the entry jumps through. Called once, before the first program runs.
    public static func install() {
        frameHandlers = .allocate(capacity: Int(SYSTEM_CALL_COUNT))
        frameHandlers.initialize(repeating: nil, count: Int(SYSTEM_CALL_COUNT))
        for number in 0..<Int(SYSTEM_CALL_COUNT) { setHandler(number, sysRefused) }
        forEach { row in
            if let handler = row.handler {
                setHandler(Int(row.number), handler)
            } else if let handler = row.frameHandler {
                frameHandlers[Int(row.number)] = handler
                system_call_table_set_frame(UInt64(row.number))
            }
        }
    }

    private static func setHandler(_ number: Int, _ handler: Handler) {
        system_call_table_set(UInt64(number), handler)
    }

    /// The handler of a call that works on the frame.
    static func frameHandler(_ number: Int) -> FrameHandler? { frameHandlers[number] }
}

/// A call without a handler: what its row says, or ENOSYS.
func sysRefused(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    let register = system_call_number(cpu_current().pointee.kernel_stack)
    let number = UInt32(truncatingIfNeeded: register)
    return -Int(SystemCallTable.row(Int(number))?.refusal ?? Errno.notImplemented.rawValue)
}
