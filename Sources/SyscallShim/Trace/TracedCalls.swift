import Kernel
import Platform

/// What the tracer keeps of calls, by number: most programs make few of them, so each is made when
/// it is first needed.
struct TracedCalls {
    private let entries: UnsafeMutablePointer<UnsafeMutablePointer<TracedCall>?>

    init() {
        entries = .allocate(capacity: Int(SYSTEM_CALL_COUNT))
        entries.initialize(repeating: nil, count: Int(SYSTEM_CALL_COUNT))
    }

    subscript(number: Int) -> TracedCall {
        unsafeAddress { UnsafePointer(entry(number)) }
        nonmutating unsafeMutableAddress { entry(number) }
    }

    private func entry(_ number: Int) -> UnsafeMutablePointer<TracedCall> {
        if let entry = entries[number] { return entry }
        let entry = UnsafeMutablePointer<TracedCall>.allocate(capacity: 1)
        entry.initialize(to: SystemCallTable.row(number).map { TracedCall($0) } ?? TracedCall())
        entries[number] = entry
        return entry
    }

    /// The statistics of a call that was made.
    func statistics(_ number: Int) -> UnsafeMutablePointer<CallStatistics>? {
        entries[number]?.pointee.statistics
    }

    /// Forgets a call and its statistics.
    func forget(_ number: Int) {
        guard let entry = entries[number] else { return }
        if let statistics = entry.pointee.statistics {
            statistics.pointee.deallocate()
            statistics.deallocate()
        }
        entry.deallocate()
        entries[number] = nil
    }
}

/// What the tracer keeps of a row, by number.
struct TracedCall {
    var handler: Handler = sysRefused
    var name = UnsafeRawBufferPointer(start: nil, count: 0)
    var kinds: InlineArray<6, Argument>
    var result = Argument.integer
    var restart = RestartClass.never
    /// Made when the call is first used.
    var statistics: UnsafeMutablePointer<CallStatistics>?

    /// A number without a row.
    init() { kinds = InlineArray(repeating: .hexadecimal) }

    init(_ row: Row) {
        handler = row.handler ?? sysRefused
        name = UnsafeRawBufferPointer(start: row.name.utf8Start, count: row.name.utf8CodeUnitCount)
        kinds = row.arguments
        result = row.result
        restart = row.restart
    }
}
