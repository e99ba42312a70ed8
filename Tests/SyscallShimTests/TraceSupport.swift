import FakePlatform
import Glibc
import Kernel
import LaunchRecord
import Platform

@testable import SyscallShim

/// A fake program whose calls are traced: memory to point at, and rows of the test's own.
final class TracedProgram {
    private var allocations: [UnsafeMutableRawPointer] = []

    /// Runs `body` with a tracer on a fresh fake platform, alone.
    static func run<Result>(
        _ options: LaunchOptions = .trace,
        filter: String = "",
        _ body: (TracedProgram) throws -> Result
    ) throws -> Result {
        try FakePlatform.exclusive {
            machine = UnsafePointer(FakePlatform.operations)
            boot = UnsafePointer(FakePlatform.information)
            // Nothing catches a fault here: only addresses beyond the bounds count as bad.
            user_low_end = 0
            var text = filter
            let outcome = text.withUTF8 { TraceFilter.parse(UnsafeRawBufferPointer($0)) }
            guard case .filter(let parsed) = outcome else { throw WrongFilter() }
            Tracer.install(options, parsed)
            let program = TracedProgram()
            defer { for allocation in program.allocations { free(allocation) } }
            return try body(program)
        }
    }

    struct WrongFilter: Error {}

    /// A page-aligned address whose memory begins with `bytes`.
    func memory(_ bytes: [UInt8]) -> UInt {
        let allocation = aligned_alloc(4096, (bytes.count / 4096 + 1) * 4096)!
        memset(allocation, 0, (bytes.count / 4096 + 1) * 4096)
        allocation.copyMemory(from: bytes, byteCount: bytes.count)
        allocations.append(allocation)
        return UInt(bitPattern: allocation)
    }

    func string(_ text: String) -> UInt { memory(Array(text.utf8) + [0]) }

    func words(_ words: UInt64...) -> UInt { memory(words.flatMap(TracedProgram.bytes)) }

    func halfWords(_ words: UInt32...) -> UInt { memory(words.flatMap(TracedProgram.bytes)) }

    static func bytes<Value: BitwiseCopyable>(_ value: Value) -> [UInt8] {
        withUnsafeBytes(of: value) { Array($0) }
    }

    /// Runs a call of a row and returns what was traced.
    func trace(_ row: Row, _ registers: UInt...) -> String {
        let statistics = Tracer.calls[Int(row.number)].statistics
        Tracer.calls[Int(row.number)] = TracedCall(row)
        Tracer.calls[Int(row.number)].statistics = statistics
        var words = InlineArray<6, UInt>(repeating: 0)
        for index in registers.indices { words[index] = registers[index] }
        FakePlatform.output = [:]
        _ = Tracer.traceCall(Int(row.number), words)
        return output
    }

    /// A value of a kind as it is shown before a call.
    func show(_ kind: Argument, _ value: UInt) -> String {
        let line = trace(Row(0, "f", succeed, .full, kind), value)
        return String(line.dropFirst(2).prefix(while: { $0 != "\n" }).split(separator: ") ")[0])
            .trimmingSuffix(")")
    }

    var output: String {
        String(decoding: FakePlatform.output[8] ?? [], as: UTF8.self)
    }

    var report: [String] {
        String(decoding: FakePlatform.output[9] ?? [], as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}

/// What the handlers below return.
nonisolated(unsafe) var answerOfCall = 0
/// Called in the midst of a call.
nonisolated(unsafe) var duringCall: () -> Void = {}

func succeed(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int { 0 }
func answerAsTold(_: UInt, _: UInt, _: UInt, _: UInt, _: UInt, _: UInt) -> Int {
    duringCall()
    return answerOfCall
}
