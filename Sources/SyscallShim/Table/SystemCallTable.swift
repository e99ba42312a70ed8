import IORing
import Kernel
import LinuxABI
import Platform

/// All rows, and the dispatch table that is made from them.
public enum SystemCallTable {
    private static let groupCount = 29

    /// Lends the rows of a group, where they lie in the image.
    ///
    /// Only the span of the global itself does: a table that is lent whole, or returned, is copied
    /// to the stack first.
    @inline(__always)
    private static func lend<Result>(_ group: Int, _ body: (Span<Row>) -> Result) -> Result {
        switch group {
        case 0: body(memoryMappingRows.span)
        case 1: body(memoryAdviceRows.span)
        case 2: body(threadRows.span)
        case 3: body(futexRows.span)
        case 4: body(signalRows.span)
        case 5: body(timeRows.span)
        case 6: body(identityRows.span)
        case 7: body(processRows.span)
        case 8: body(processControlRows.span)
        case 9: body(executeRows.span)
        case 10: body(unsupportedRows.span)
        case 11: body(fileTransferRows.span)
        case 12: body(filePathRows.span)
        case 13: body(fileStatusRows.span)
        case 14: body(fileControlRows.span)
        case 15: body(filePollingRows.span)
        case 16: body(unnamedFileRows.span)
        case 17: body(extendedAttributeRows.span)
        case 18: body(spliceRows.span)
        case 19: body(inotifyRows.span)
        case 20: body(systemVRows.span)
        case 21: body(namedQueueRows.span)
        case 22: body(refusedByDesignRows.span)
        case 23: body(mountRows.span)
        case 24: body(socketRows.span)
        case 25: body(socketMessageRows.span)
        case 26: body(processDescriptorRows.span)
        case 27: body(processMemoryRows.span)
        default: body(ringRows.span)
        }
    }

    /// Calls `body` with each row, group by group.
    public static func forEach(_ body: (Row) -> Void) {
        for group in 0..<groupCount { lend(group) { visit($0, body) } }
    }

    @inline(never)
    private static func visit(_ rows: Span<Row>, _ body: (Row) -> Void) {
        for index in rows.indices { body(rows[index]) }
    }

    // MARK: By number

    nonisolated(unsafe) private static var isIndexed = false

    /// Notes where the row of each number is: its group's number plus one, then its own.
    private static func index() {
        isIndexed = true
        for group in 0..<groupCount { lend(group) { note($0, group) } }
    }

    @inline(never)
    private static func note(_ rows: Span<Row>, _ group: Int) {
        for index in rows.indices {
            let place = UInt16(truncatingIfNeeded: (group + 1) << 8 | index)
            system_call_set_place(UInt64(rows[index].number), place)
        }
    }

    /// What `body` makes of the row of a number; nil without one.
    private static func read<Value>(_ number: Int, _ body: (borrowing Row) -> Value) -> Value? {
        guard number >= 0, number < Int(SYSTEM_CALL_COUNT) else { return nil }
        if !isIndexed { index() }
        let place = Int(system_call_place(UInt64(number)))
        guard place != 0 else { return nil }
        return lend(place >> 8 - 1) { body($0[place & 0xff]) }
    }

    /// The row of a number.
    public static func row(_ number: Int) -> Row? { read(number) { copy $0 } }

    /// The handler of a call that works on the frame.
    static func frameHandler(_ number: Int) -> FrameHandler? {
        read(number) { $0.frameHandler } ?? nil
    }

    /// Runs a call for a request of io_uring(7).
    private static func run(
        _ number: Int,
        _ first: UInt,
        _ second: UInt,
        _ third: UInt,
        _ fourth: UInt,
        _ fifth: UInt
    ) -> Int {
        guard let handler = read(number, { $0.handler }) ?? nil else {
            return -Int(Errno.notImplemented.rawValue)
        }
        return handler(first, second, third, fourth, fifth, 0)
    }

    // MARK: Dispatch

    /// Fills the table that the entry jumps through. Called once, before the first program runs.
    public static func install() {
        index()
        Rings.lend(run: run, moveMessage: moveMessage)
        system_call_table_fill(sysRefused)
        for group in 0..<groupCount { lend(group) { setHandlers($0) } }
    }

    @inline(never)
    private static func setHandlers(_ rows: Span<Row>) {
        for index in rows.indices {
            let number = UInt64(rows[index].number)
            if let handler = rows[index].handler {
                system_call_table_set(number, handler)
            } else if rows[index].frameHandler != nil {
                system_call_table_set_frame(number)
            }
        }
    }

    /// Gives the calls that work on the frame back to `kernel_frame_call`.
    static func setFrameHandlers() {
        for group in 0..<groupCount { lend(group) { setFrameHandlers($0) } }
    }

    @inline(never)
    private static func setFrameHandlers(_ rows: Span<Row>) {
        for index in rows.indices where rows[index].frameHandler != nil {
            system_call_table_set_frame(UInt64(rows[index].number))
        }
    }
}

/// A call without a handler: what its row says, or ENOSYS.
func sysRefused(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    let register = system_call_number(cpu_current().pointee.kernel_stack)
    let number = UInt32(truncatingIfNeeded: register)
    return -Int(SystemCallTable.row(Int(number))?.refusal ?? Errno.notImplemented.rawValue)
}
